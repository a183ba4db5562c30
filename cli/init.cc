// aisle init: a new chain's certificate authority, keys and coordinator settings.
#include <absl/time/clock.h>

#include <nlohmann/json.hpp>

#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/coordinator_config.h"

namespace aisle::cli {
namespace {

struct InitOptions {
  std::string folder;
  std::string chain;
  std::vector<std::string> server_names = {"localhost", "127.0.0.1"};
  std::string listen = "0.0.0.0:7400";
};

Status Init(Context& context, const InitOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const ChainName name, ChainName::Parse(options.chain));
  const std::string config = options.folder + "/coordinator.toml";
  if (FileExists(config)) return AlreadyExists("{} exists already; nothing was changed", config);
  SecureRandom random;
  AISLE_RETURN_IF_ERROR(InitChain({options.folder, name, options.server_names}, absl::Now(), random));
  AISLE_RETURN_IF_ERROR(
      WriteFileDurably(config, CoordinatorToml({.listen = options.listen, .folder = options.folder})));
  if (context.options.json) {
    context.out.Json({{"chain", name.str()}, {"folder", options.folder}, {"coordinator_config", config}});
    return OkStatus();
  }
  context.out.Text(
      fmt::format("The chain {0} is in {1}: its root, the coordinator's and an administrator's certificates, the key "
                  "that signs plans.\n"
                  "Keep ca.key and plan-signing.key safe: who has them can join stores and sign plans. Next:\n"
                  "  aisle-coordinator --config {2}\n"
                  "  aisle store add ID --identity {1}\n",
                  name.str(), options.folder, config));
  return OkStatus();
}

}  // namespace

void AddInitCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("init", "Make a new chain: certificate authority, keys, coordinator.toml");
  command->footer(
      "Nothing is ever overwritten. Private keys are readable by you alone (mode 0600).\n\n"
      "  aisle init chain --chain northwind --server-name hq.northwind.example\n");
  InitOptions& options = OnRun(*command, context, Init);
  command->add_option("DIR", options.folder, "The folder to make")->type_name("DIR")->required();
  command
      ->add_option("--chain", options.chain, "The chain's name: a-z, 0-9, '.', '_' and '-'; part of every certificate")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("--server-name", options.server_names,
                   "A DNS name or IP address that stores call the coordinator by; may be given again")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--listen", options.listen, "Where the coordinator is to listen")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
