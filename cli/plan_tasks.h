// What headquarters does with a plan before any store sees it, each in a sandboxed worker.
#pragma once

#include <string>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"
#include "cli/plan_file.h"
#include "cli/worker.h"

namespace aisle::cli {

// The dry run: compiles the plan, walks its operators against the allow-list, and runs every method once on made-up
// rows within the declared ranges. InvalidArgument says in words why stores would refuse it; ResourceExhausted if it
// needs more than its own limits.
StatusOr<v1::InspectResult> DryRun(const PlanFile& file, LocalWorker& worker);

// The parameters of a TorchScript archive (.pt), in the flat tensor format. Loading one runs code: hence the worker.
StatusOr<v1::ExportResult> ExportArchive(std::string archive, LocalWorker& worker);

// As BuildPlanFile, for plans of either kind: an archive's weights are taken out of it.
StatusOr<PlanFile> BuildAnyPlanFile(PlanFiles files, const SigningKey* key, LocalWorker& worker);

// `path` is a plan file, or a plan's folder (or its plan.toml), which is then built on the fly and signed with `key`,
// if any.
StatusOr<PlanFile> LoadOrBuildPlan(const std::string& path, const SigningKey* key, LocalWorker& worker);
// True if LoadOrBuildPlan would build.
bool IsPlanFolder(const std::string& path);

}  // namespace aisle::cli
