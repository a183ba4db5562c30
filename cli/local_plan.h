// A plan on rows at hand, without any coordinator: what `aisle plan train-alone` and `aisle plan evaluate` share.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "cli/commands.h"
#include "cli/plan_file.h"
#include "cli/worker.h"
#include "store-agent/tables/schema.h"

namespace aisle::cli {

struct LocalOptions {
  std::string plan;               // A plan file, or a plan's folder.
  std::vector<std::string> data;  // At least one.
  std::string tables;             // Empty: found near the data.
  std::string worker;
};

// PLAN, --tables, --worker and --json; --data is each command's own.
void AddLocalOptions(CLI::App& command, Context& context, LocalOptions& options);

// A plan with what it needs to run here.
struct LocalPlan {
  PlanFile file;
  std::string bundle;  // Encoded.
  Plan plan;
  Schema schema;
};

// tables.toml is the one given, or lies in the data folder, or in the chain's folder above DIR/stores/<id>.
StatusOr<LocalPlan> OpenLocalPlan(const LocalOptions& options, LocalWorker& worker);

// A store's id is its folder's name.
std::string StoreNameOf(const std::string& folder);

// The folders as given, but a chain's folder (one with stores/ in it) stands for all of its stores, by name.
std::vector<std::string> StoreFolders(const std::vector<std::string>& data);

}  // namespace aisle::cli
