// The whole command line: global options, groups in the order a new user meets them, the help's last page.
#include "base/version.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"

namespace aisle::cli {
namespace {

constexpr size_t kHelpColumn = 34;

// CLI11's own help names a positional argument twice ("FILE FILE REQUIRED").
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(kHelpColumn);
    label("SUBCOMMAND", "COMMAND");
    label("REQUIRED", "(required)");
    label("Positionals", "Arguments");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (!option->get_positional()) return CLI::Formatter::make_option_opts(option);
    return option->get_required() ? "" : " (optional)";
  }
};

void NameGroups(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    command->group("Commands");
    NameGroups(*command);
  }
}

std::string Footer() {
  return fmt::format(
      "A first run:\n"
      "  aisle init chain --chain northwind             # keys, certificates, coordinator.toml\n"
      "  aisle-coordinator --config chain/coordinator.toml\n"
      "  export AISLE_IDENTITY=chain\n"
      "  aisle store add leeds-01                       # then start aisle-agent on its box\n"
      "  aisle plan build plans/demand --out demand.plan\n"
      "  aisle job submit demand.plan --job demand --rounds 30 --watch\n\n"
      "Environment:\n"
      "  {}    the coordinator's HOST:PORT [{}]\n"
      "  {}       the folder that `aisle init` made\n"
      "  {}         the aisle-worker program, if it isn't beside aisle\n\n"
      "{}\n"
      "Errors are one line on standard error; with --json an object {{\"error\": {{\"code\", \"message\"}}}}.\n",
      kCoordinatorVariable, kDefaultCoordinator, kIdentityVariable, kWorkerVariable, kExitCodesHelp);
}

}  // namespace

void AddConnectionOptions(CLI::App& command, Context& context) {
  command
      .add_option("--coordinator", context.options.coordinator,
                  fmt::format("Where the coordinator listens [${} or {}]", kCoordinatorVariable, kDefaultCoordinator))
      ->type_name("HOST:PORT");
  command
      .add_option("--identity", context.options.identity,
                  fmt::format("The folder that `aisle init` made [${}]", kIdentityVariable))
      ->type_name("DIR");
}

std::unique_ptr<CLI::App> MakeCommandLine(Context& context) {
  auto app = std::make_unique<CLI::App>(
      "Aisle trains a retail chain's models on what every store knows, while raw data "
      "stays in the store.",
      "aisle");
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_version_flag("--version", fmt::format("aisle {}", Version()), "Print the version and exit");
  app->require_subcommand(1);
  app->footer(Footer());
  AddConnectionOptions(*app, context);
  AddInitCommand(*app, context);
  AddStoreCommands(*app, context);
  AddPlanCommands(*app, context);
  AddJobCommands(*app, context);
  AddRoundCommands(*app, context);
  AddModelCommands(*app, context);
  AddEnrolCommand(*app, context);
  AddIngestCommand(*app, context);
  AddLedgerCommands(*app, context);
  AddPrivacyCommands(*app, context);
  AddCaCommands(*app, context);
  AddExplainCommands(*app, context);
  AddOverviewCommand(*app, context);
  AddBackupCommand(*app, context);
  AddRestoreCommand(*app, context);
  AddCompletionCommand(*app, context);
  NameGroups(*app);
  return app;
}

}  // namespace aisle::cli
