// aisle restore: a backup becomes a coordinator's data folder, here or on another machine.
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/backup_folder.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

struct RestoreOptions {
  std::string backup;
  std::string data;
};

Status Restore(Context& context, const RestoreOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const BackupName name, ReadBackupName(options.backup));
  AISLE_ASSIGN_OR_RETURN(const uint64_t bytes, RestoreBackup(options.backup, options.data));
  const int64_t made_unix_ms = name.made_unix_us / 1000;
  if (context.options.json) {
    context.out.Json({{"data", options.data}, {"chain", name.chain}, {"made_unix_ms", made_unix_ms}, {"bytes", bytes}});
    return OkStatus();
  }
  context.out.Text(fmt::format(
      "{} holds chain {} as of {} ({}), every file checked.\n"
      "Before you start aisle-coordinator over it:\n"
      "  - the coordinator it was copied from is off, for good\n"
      "  - coordinator.toml names this folder as `data` and the chain's keys, from your safe, as `identity`\n"
      "  - stores call it by a name or address in its certificate: move that to this machine\n"
      "Once it runs: revoke again whoever was revoked since; one-time codes that were not used are void.\n",
      options.data, name.chain, TimeText(made_unix_ms), FormatByteCount(bytes)));
  return OkStatus();
}

}  // namespace

void AddRestoreCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("restore", "Make a coordinator's data folder of a backup, on any machine");
  command->footer(
      "Stores carry on by themselves: those that joined or renewed since the backup are known by their certificates.\n"
      "Rounds that were open are over, and numbers of rounds and models jump, so that none is used twice.\n\n"
      "  aisle restore /backup/tuesday --data /srv/aisle/coordinator-data\n");
  RestoreOptions& options = OnRun(*command, context, Restore);
  command->add_option("BACKUP", options.backup, "The folder that `aisle backup` wrote; it stays as it is")
      ->type_name("DIR")
      ->required();
  command->add_option("--data", options.data, "The data folder to be (`data` in coordinator.toml)")
      ->type_name("DIR")
      ->required();
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
