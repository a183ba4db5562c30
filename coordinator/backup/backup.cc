#include "coordinator/backup/backup.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace aisle {
namespace {

std::string ScratchOf(const std::string& data) { return data + "/backup-under-way"; }

void RemoveAll(const std::string& folder) {
  std::error_code ignored;  // The next backup tries again, and names it.
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace

Backup::~Backup() {
  RemoveAll(scratch_);
  busy_ = false;
}

Status Backup::ListState() {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(scratch_, error), end; !error && entry != end;
       entry.increment(error)) {
    File file{.path = "state/" + entry->path().filename().string(), .source = entry->path().string()};
    AISLE_ASSIGN_OR_RETURN(file.size, FileSize(file.source));
    files_.push_back(std::move(file));
  }
  if (error) return ErrnoStatus(error.value(), "list", scratch_);
  std::ranges::sort(files_, {}, &File::path);
  return OkStatus();
}

// All there are: what the database names is among them, for none has gone since it was copied.
Status Backup::ListBlobs(const BlobStore& blobs, const std::string& folder, const std::set<Digest>& have) {
  AISLE_ASSIGN_OR_RETURN(const std::vector<BlobName> names, blobs.ListAll());
  for (const BlobName& name : names) {
    if (have.contains(name.digest)) {
      ++blobs_kept_;
      continue;
    }
    const std::string hex = name.digest.Hex();
    const std::string path = fmt::format("blobs/{}/{}", hex.substr(0, 2), hex);
    files_.push_back({.path = path, .source = fmt::format("{}/{}", folder, path), .size = name.size});
  }
  return OkStatus();
}

BackupDesk::BackupDesk(const RocksStateStore& state, BlobStore& blobs, std::string data)
    : state_(state), blobs_(blobs), data_(std::move(data)) {
  RemoveAll(ScratchOf(data_));
}

StatusOr<std::unique_ptr<Backup>> BackupDesk::Begin(const std::set<Digest>& have, absl::Time now) {
  if (busy_.exchange(true)) return FailedPrecondition("another backup is under way; wait for it, or end it");
  std::unique_ptr<Backup> backup(new Backup(ScratchOf(data_), busy_, blobs_));  // Holds blobs from before the copy on.
  RemoveAll(backup->scratch_);
  backup->made_at_ = now;
  AISLE_RETURN_IF_ERROR(state_.CopyTo(backup->scratch_));
  AISLE_RETURN_IF_ERROR(backup->ListState());
  AISLE_RETURN_IF_ERROR(backup->ListBlobs(blobs_, data_, have));
  return backup;
}

}  // namespace aisle
