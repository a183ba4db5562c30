#include "cli/local_plan.h"

#include <algorithm>
#include <filesystem>

#include "base/storage/files.h"
#include "cli/plan_tasks.h"

namespace aisle::cli {
namespace {

namespace fs = std::filesystem;

StatusOr<Schema> FindSchema(const LocalOptions& options) {
  if (!options.tables.empty()) return Schema::ParseFile(options.tables);
  const fs::path data = fs::path(options.data.front()) / "";
  for (const fs::path& place : {data / "tables.toml", data / "../../tables.toml"}) {
    if (FileExists(place)) return Schema::ParseFile(place);
  }
  return NotFound("no tables.toml in {} or two folders above; name it with --tables", options.data.front());
}

}  // namespace

void AddLocalOptions(CLI::App& command, Context& context, LocalOptions& options) {
  command.add_option("PLAN", options.plan, "The plan file, or the plan's folder")->type_name("FILE")->required();
  command
      .add_option("--tables", options.tables,
                  "The tables.toml that declares the CSV files' columns [found near --data]")
      ->type_name("FILE");
  command.add_option("--worker", options.worker, "The aisle-worker program [beside aisle]")->type_name("FILE");
  AddJsonFlag(command, context);
}

StatusOr<LocalPlan> OpenLocalPlan(const LocalOptions& options, LocalWorker& worker) {
  LocalPlan local;
  AISLE_ASSIGN_OR_RETURN(local.file, LoadOrBuildPlan(options.plan, nullptr, worker));
  AISLE_ASSIGN_OR_RETURN(local.plan, local.file.bundle.plan());
  AISLE_ASSIGN_OR_RETURN(local.schema, FindSchema(options));
  local.bundle = local.file.bundle.Encode();
  return local;
}

std::string StoreNameOf(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename();
}

std::vector<std::string> StoreFolders(const std::vector<std::string>& data) {
  std::vector<std::string> folders;
  for (const std::string& given : data) {
    std::error_code error;
    const fs::path stores = fs::path(given) / "stores";
    if (!fs::is_directory(stores, error)) {
      folders.push_back(given);
      continue;
    }
    const size_t before = folders.size();
    for (const auto& entry : fs::directory_iterator(stores, error)) folders.push_back(entry.path());
    std::sort(folders.begin() + static_cast<std::ptrdiff_t>(before), folders.end());
  }
  return folders;
}

}  // namespace aisle::cli
