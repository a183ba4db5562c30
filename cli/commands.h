// One function per command group: adds its commands, their options and their help to the command line.
// Each command only notes what to do (Context::action); it is done after the whole line has been understood.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "cli/context.h"

namespace aisle::cli {

void AddInitCommand(CLI::App& app, Context& context);
void AddCaCommands(CLI::App& app, Context& context);
void AddStoreCommands(CLI::App& app, Context& context);
void AddJobCommands(CLI::App& app, Context& context);
void AddJobSubmitCommand(CLI::App& group, Context& context);
void AddRoundCommands(CLI::App& app, Context& context);
void AddModelCommands(CLI::App& app, Context& context);
void AddPlanCommands(CLI::App& app, Context& context);
void AddPriceCommand(CLI::App& group, Context& context);
void AddPlanTrainAloneCommand(CLI::App& group, Context& context);
void AddPlanEvaluateCommand(CLI::App& group, Context& context);
void AddEnrolCommand(CLI::App& app, Context& context);
void AddIngestCommand(CLI::App& app, Context& context);
void AddLedgerCommands(CLI::App& app, Context& context);
void AddPrivacyCommands(CLI::App& app, Context& context);
void AddExplainCommands(CLI::App& app, Context& context);
void AddBackupCommand(CLI::App& app, Context& context);
void AddRestoreCommand(CLI::App& app, Context& context);
void AddOverviewCommand(CLI::App& app, Context& context);
void AddCompletionCommand(CLI::App& app, Context& context);

// The whole command line.
std::unique_ptr<CLI::App> MakeCommandLine(Context& context);

// --json, for every command that reads.
inline void AddJsonFlag(CLI::App& command, Context& context) {
  command.add_flag("--json", context.options.json, "Print JSON for programs instead of a table for people");
}

// --coordinator and --identity, for every command that talks to the coordinator.
void AddConnectionOptions(CLI::App& command, Context& context);

// Lets `run(options)` be the command's action, with an Options of its own that lives as long as the command line.
// Returns the Options for add_option to point into.
template <typename Options>
Options& OnRun(CLI::App& command, Context& context, Status (*run)(Context&, const Options&)) {
  auto options = std::make_shared<Options>();
  command.callback(
      [&context, options, run] { context.action = [&context, options, run] { return run(context, *options); }; });
  return *options;
}
// For a command without options of its own.
inline void OnRun(CLI::App& command, Context& context, Status (*run)(Context&)) {
  command.callback([&context, run] { context.action = [&context, run] { return run(context); }; });
}

}  // namespace aisle::cli
