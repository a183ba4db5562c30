// aisle backup: a copy of the running coordinator as of one moment.
#include <absl/time/clock.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/backup_folder.h"
#include "cli/commands.h"
#include "cli/progress.h"

namespace aisle::cli {
namespace {

struct BackupOptions {
  std::string folder;
  std::string since;
};

Status BackUp(Context& context, const BackupOptions& options) {
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(BackupWriter writer, BackupWriter::Open(options.folder, options.since));
  v1::BackUpRequest request;
  for (const Digest& blob : writer.blobs()) request.add_have_blobs(std::string(blob.view()));
  ProgressBar bar("backing up", ProgressBar::Unit::kBytes);
  AISLE_RETURN_IF_ERROR(admin->BackUp(request, [&](const v1::BackUpResponse& message) {
    bar.Show(writer.bytes(), 0);
    return writer.Take(message);
  }));
  AISLE_RETURN_IF_ERROR(writer.Finish());
  if (context.options.json) {
    context.out.Json({{"folder", options.folder}, {"files", writer.files()}, {"bytes_sent", writer.bytes()}});
    return OkStatus();
  }
  context.out.Text(
      fmt::format("{} holds a backup of {} files ({} of them new). Check it with: cd {} && sha256sum -c {}\n"
                  "The chain's keys aren't in it: they belong in a safe (docs/operations.md, Backing up).\n",
                  options.folder, writer.files(), FormatByteCount(writer.bytes()), options.folder, kBackupDigests));
  return OkStatus();
}

}  // namespace

void AddBackupCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("backup", "Copy the running coordinator's data, as of one moment");
  command->footer(
      "Rounds go on meanwhile. A backup that broke off is gone on with by the same command; without --since every one\n"
      "is whole by itself. Bring it back with `aisle restore`.\n\n"
      "  aisle backup /backup/monday\n"
      "  aisle backup /backup/tuesday --since /backup/monday    # fetches only what is new\n");
  BackupOptions& options = OnRun(*command, context, BackUp);
  command->add_option("DIR", options.folder, "Where to; made if it isn't there, and never overwritten")->required();
  command
      ->add_option("--since", options.since,
                   "An older backup: models and plans that it has are linked, not fetched (each stays whole by itself)")
      ->type_name("DIR");
  AddJsonFlag(*command, context);
  AddConnectionOptions(*command, context);
}

}  // namespace aisle::cli
