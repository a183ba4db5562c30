// Backups: what headquarters sends for one, what lies in its folder, and the marks that a restored coordinator reads.
// Whatever is written stays in the folder, and what was called a backup can be restored.
#include "base/check.h"
#include "base/codec.h"
#include "cli/backup_folder.h"
#include "coordinator/backup/restoration.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/scratch.h"

namespace aisle::fuzz::backup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMessageMax = 1 << 16;
constexpr std::string_view kMark = "chain = \"northwind\"\nmade_unix_us = 1800000000000000\nversion = \"0.1.0\"\n";

void TryMarks(std::string_view input) {
  (void)ParseBackupMark(input, "backup.toml");
  if (const StatusOr<Restored> restored = DecodeRestored(input); restored.ok()) (void)EncodeRestored(*restored);
}

// The input is a list of messages.
void TryStream(const Scratch& scratch, std::string_view input) {
  const std::string around = scratch.Fresh("around");
  const std::string folder = around + "/backup";
  auto writer = cli::BackupWriter::Open(folder, "");
  AISLE_CHECK(writer.ok(), "{}", MessageOf(writer.status()));
  bool taken = true;
  for (ByteReader in(input); taken && in.remaining() > 0;) {
    v1::BackUpResponse message;
    const std::string_view bytes = in.String(kMessageMax);
    taken =
        in.ok() && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && writer->Take(message).ok();
  }
  const bool made = taken && writer->Finish().ok();
  for (const auto& entry : fs::directory_iterator(around)) AISLE_CHECK(entry.path() == folder);
  if (!made) return;
  const Status name = cli::ReadBackupName(folder).status();
  AISLE_CHECK(name.ok(), "{}", MessageOf(name));
  const Status restored = cli::RestoreBackup(folder, around + "/restored").status();
  AISLE_CHECK(restored.ok(), "{}", MessageOf(restored));
}

// The list of files, in a folder that holds one.
void TryFolder(const Scratch& scratch, std::string_view input) {
  const std::string around = scratch.Fresh("around");
  const std::string folder = around + "/backup";
  AISLE_CHECK(MakeFolders(folder + "/state").ok());
  PutFile(folder + "/state/CURRENT", "content");
  PutFile(folder + "/backup.toml", kMark);
  PutFile(folder + "/backup.sha256", input);
  (void)cli::RestoreBackup(folder, around + "/restored");
  for (const auto& entry : fs::directory_iterator(around)) {
    const std::string name = entry.path().filename().string();
    AISLE_CHECK(name == "backup" || name == "restored" || name == "restored.part", "{}", name);
  }
}

std::string Stream() {
  const std::string content = "content";
  const std::string hex = Sha256::Of(content).Hex();
  v1::BackUpResponse begun, state, blob, data, ended;
  begun.mutable_begun()->set_chain("northwind");
  begun.mutable_begun()->set_version("0.1.0");
  begun.mutable_begun()->set_made_unix_us(1'800'000'000'000'000);
  state.mutable_file()->set_path("state/CURRENT");
  state.mutable_file()->set_size_bytes(2 * content.size());
  blob.mutable_file()->set_path("blobs/" + hex.substr(0, 2) + "/" + hex);
  blob.mutable_file()->set_size_bytes(content.size());
  data.set_data(content);
  ended.mutable_ended();
  ByteWriter out;
  for (const auto& message : {begun, state, data, data, blob, data, ended}) out.String(Spelled(message));
  return out.Take();
}

}  // namespace

void TryInput(std::string_view input) {
  static const Scratch scratch;
  const Chosen chosen = Choose(input, 3);
  if (chosen.which == 0) TryMarks(chosen.input);
  if (chosen.which == 1) TryStream(scratch, chosen.input);
  if (chosen.which == 2) TryFolder(scratch, chosen.input);
}

std::vector<std::string> Seeds() {
  const absl::Time at = absl::FromUnixSeconds(1'800'000'000);
  return {Choosing(0, kMark), Choosing(0, EncodeRestored({.made_at = at, .at = at, .numbers_from = 1000})),
          Choosing(1, Stream()), Choosing(2, Sha256::Of("content").Hex() + "  state/CURRENT\n")};
}

}  // namespace aisle::fuzz::backup

AISLE_DEAR_FUZZ_TARGET(backup, 2);
