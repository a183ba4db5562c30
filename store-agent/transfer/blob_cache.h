// Plans and weights on the store's disk, by their digest. A blob is whole and verified, or it is a part being fetched.
//
//   FOLDER/<digest>        whole; its name is its SHA-256
//   FOLDER/<digest>.part   the first bytes of it; survives restarts, so a download continues where it was cut
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/fleet.h"
#include "base/storage/files.h"

namespace aisle {

// A blob being fetched. Used by one thread.
class PartialBlob {
 public:
  uint64_t received() const { return received_; }
  // InvalidArgument beyond the blob's size; disk errors as files.h has them.
  Status Append(std::string_view data);
  // Verifies, syncs and renames. Unavailable if bytes are missing: keep the part. DataLoss if the content isn't what
  // its name says: the part is gone, start over.
  Status Finish();

 private:
  friend class BlobCache;
  PartialBlob(std::string folder, BlobName name) : folder_(std::move(folder)), name_(name) {}
  std::string part() const { return folder_ + "/" + name_.digest.Hex() + ".part"; }
  Status TakeUpWhatIsThere();

  std::string folder_;
  BlobName name_;
  FileDescriptor file_;
  uint64_t received_ = 0;
  Sha256 hash_;
};

// One thread at a time.
class BlobCache {
 public:
  static StatusOr<BlobCache> Open(std::string folder);

  bool Has(const BlobName& blob) const;
  // NotFound if it isn't whole here. DataLoss if the disk changed it: it is removed, fetch it again.
  StatusOr<std::string> Read(const BlobName& blob) const;
  // Takes up a part that is there.
  StatusOr<PartialBlob> Begin(const BlobName& blob) const;
  // Removes the longest unused blobs, parts among them, until at most `bytes_max` are left; never one of `keep`.
  Status Trim(uint64_t bytes_max, const std::vector<Digest>& keep) const;

 private:
  explicit BlobCache(std::string folder) : folder_(std::move(folder)) {}
  std::string PathOf(const Digest& digest) const { return folder_ + "/" + digest.Hex(); }
  std::string folder_;
};

}  // namespace aisle
