// A copy of a running coordinator as of one moment: its database and all blobs that it names.
//
// Without the chain's keys: they lie apart (docs/operations.md, Backing up), and a daily copy of a key is a key lost
// daily. Without the uploads of open rounds: a restored coordinator doesn't go on with these (restoration.h).
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/catalog/rocks_state_store.h"

namespace aisle {

// Files that belong together, held in place until this is destroyed. Not thread-safe.
class Backup {
 public:
  struct File {
    std::string path;    // Within the data folder: "state/000009.sst", "blobs/ab/abcd…".
    std::string source;  // Where it lies now.
    uint64_t size = 0;   // Bytes.
  };
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  absl::Time made_at() const { return made_at_; }
  const std::vector<File>& files() const { return files_; }  // The database first, then blobs by name.
  uint64_t blobs_kept() const { return blobs_kept_; }        // Blobs left out, for the caller has them.

 private:
  friend class BackupDesk;
  Backup(std::string scratch, std::atomic<bool>& busy, BlobStore& blobs)
      : scratch_(std::move(scratch)), busy_(busy), hold_(blobs) {}
  Status ListState();
  Status ListBlobs(const BlobStore& blobs, const std::string& folder, const std::set<Digest>& have);

  const std::string scratch_;
  std::atomic<bool>& busy_;
  const BlobStore::Hold hold_;
  absl::Time made_at_;
  std::vector<File> files_;
  uint64_t blobs_kept_ = 0;
};

// Thread-safe. One backup at a time.
class BackupDesk {
 public:
  // `data`: the coordinator's data folder. What a program that died has left of a backup is removed. Both stores must
  // outlive the desk, and the desk its backups.
  BackupDesk(const RocksStateStore& state, BlobStore& blobs, std::string data);

  // `have`: blobs that needn't be sent. FailedPrecondition while another backup is under way; ResourceExhausted if the
  // disk is full. Waits for the disk: not for a thread that others wait for.
  StatusOr<std::unique_ptr<Backup>> Begin(const std::set<Digest>& have, absl::Time now);

 private:
  const RocksStateStore& state_;
  BlobStore& blobs_;
  const std::string data_;
  std::atomic<bool> busy_ = false;
};

}  // namespace aisle
