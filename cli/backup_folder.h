// A backup of the coordinator as it lies on a disk:
//
//   state/…          the database, as of one moment
//   blobs/ab/abcd…   plans, weights, optimizer states, each named by its SHA-256
//   backup.sha256    of every file, as `sha256sum -c` reads it
//   backup.toml      whose it is and of when; written last: without it the folder isn't a backup
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "aisle/v1/admin.pb.h"
#include "base/digest.h"
#include "base/status.h"
#include "base/storage/files.h"

namespace aisle::cli {

inline constexpr std::string_view kBackupMark = "backup.toml";
inline constexpr std::string_view kBackupDigests = "backup.sha256";

// Writes a backup as it arrives. A folder that holds the beginning of one is gone on with: its blobs stay.
class BackupWriter {
 public:
  // AlreadyExists if the folder holds a whole backup, or something else. Blobs of the backup at `since` (empty: none)
  // become this one's, as links where the file system has them.
  static StatusOr<BackupWriter> Open(const std::string& folder, const std::string& since);

  const std::set<Digest>& blobs() const { return blobs_; }  // Here already.
  // Call for each message in order. DataLoss if a blob isn't what its name says: it is damaged at headquarters.
  Status Take(const v1::BackUpResponse& message);
  // After `ended`: makes all of it durable, then a backup.
  Status Finish();
  uint64_t bytes() const { return bytes_; }
  size_t files() const { return digests_.size(); }

 private:
  explicit BackupWriter(std::string folder) : folder_(std::move(folder)) {}
  Status LinkBlobs(const std::string& since);
  Status Begin(const v1::BackupFile& file);
  Status Append(const std::string& data);
  Status EndFile();

  std::string folder_;
  std::set<Digest> blobs_;
  v1::BackupBegun begun_;
  v1::BackupFile file_;  // The one under way …
  FileDescriptor open_;  // … not valid: none is.
  std::unique_ptr<Sha256> hash_ = std::make_unique<Sha256>();
  uint64_t written_ = 0;
  uint64_t bytes_ = 0;
  std::map<std::string, Digest> digests_;  // Of every file, by its path.
  bool ended_ = false;
};

// Whose backup it is.
struct BackupName {
  std::string chain;
  std::string version;
  int64_t made_unix_us = 0;
};
StatusOr<BackupName> ReadBackupName(const std::string& folder);

// Copies a backup to a data folder that isn't there yet, checking every file: DataLoss names the one that isn't as it
// was. Nothing is there before all of it is. Returns the bytes copied.
StatusOr<uint64_t> RestoreBackup(const std::string& backup, const std::string& data);

}  // namespace aisle::cli
