#include "cli/plan_tasks.h"

#include <filesystem>

#include "base/digest.h"

namespace aisle::cli {

StatusOr<v1::InspectResult> DryRun(const PlanFile& file, LocalWorker& worker) {
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(file.bundle.Encode());
  task.set_weights(file.weights);
  task.set_seed(std::string(Digest{}.view()));  // Made-up rows need no secrecy, and a dry run should repeat.
  AISLE_ASSIGN_OR_RETURN(v1::WorkerReply reply, worker.Run(request, plan.limits, "dry run"));
  if (!reply.has_inspected()) return Internal("the worker answered the dry run with something else");
  return std::move(*reply.mutable_inspected());
}

StatusOr<v1::ExportResult> ExportArchive(std::string archive, LocalWorker& worker) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  request.mutable_export_archive()->set_archive(std::move(archive));
  AISLE_ASSIGN_OR_RETURN(v1::WorkerReply reply, worker.Run(request, DefaultLimits(), "reading the archive"));
  if (!reply.has_exported()) return Internal("the worker answered the export with something else");
  return std::move(*reply.mutable_exported());
}

StatusOr<PlanFile> BuildAnyPlanFile(PlanFiles files, const SigningKey* key, LocalWorker& worker) {
  if (files.kind == ProgramKind::kSource) return BuildPlanFile(std::move(files), key);
  AISLE_ASSIGN_OR_RETURN(v1::ExportResult exported, ExportArchive(files.program, worker));
  return BuildPlanFile(std::move(files), std::move(*exported.mutable_weights()), key);
}

bool IsPlanFolder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) || path.ends_with(".toml");
}

StatusOr<PlanFile> LoadOrBuildPlan(const std::string& path, const SigningKey* key, LocalWorker& worker) {
  if (!IsPlanFolder(path)) return PlanFile::Load(path);
  AISLE_ASSIGN_OR_RETURN(PlanFiles files, ReadPlanFiles(path));
  StatusOr<PlanFile> built = BuildAnyPlanFile(std::move(files), key, worker);
  if (!built.ok()) return Annotate(built.status(), path);
  return built;
}

}  // namespace aisle::cli
