// Content-addressed blobs on plain files: plan bundles, weights, optimizer states. A blob's name is its SHA-256, so it
// never changes, and storing it twice is storing it once.
//
//   <folder>/ab/abcdef…   a blob
//   <folder>/incoming/…   blobs that are still arriving
//
// A blob appears whole, verified and durable, or not at all. A full disk answers ResourceExhausted with
// Reason::kStorageFull and leaves nothing behind.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/fleet.h"
#include "base/status.h"
#include "base/storage/files.h"
#include "coordinator/blobs/incoming_file.h"

namespace aisle {

inline constexpr uint64_t kBlobSizeMax = uint64_t{2} << 30;  // Bytes: 2^28 float32 with room for their names.

// An open blob. Stays readable when the blob is removed meanwhile. Thread-safe.
class BlobReader {
 public:
  const BlobName& name() const { return name_; }
  uint64_t size() const { return name_.size; }
  // At most `size_max` bytes from `offset` on, fewer at the end, none behind it. OutOfRange if offset > size().
  StatusOr<std::string> ReadAt(uint64_t offset, size_t size_max) const;
  // The same into a string that is used again and again: its memory is kept.
  Status ReadAt(uint64_t offset, size_t size_max, std::string& data) const;

 private:
  friend class BlobStore;
  BlobReader(const BlobName& name, FileDescriptor file, std::string path);
  BlobName name_;
  FileDescriptor file_;
  std::string path_;
};

class BlobStore;

// A blob that arrives in chunks; what came before a cut stays for the next writer of the same blob. Not thread-safe;
// must not outlive its store.
class BlobWriter {
 public:
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  // Bytes here already: begin there. All of them if the store has the blob.
  uint64_t received() const;
  // Errors as IncomingFile::Append.
  Status Append(std::string_view data);
  // Errors as IncomingFile::Finish. After OK the blob can be read.
  Status Finish();

 private:
  friend class BlobStore;
  BlobWriter(BlobStore& store, const BlobName& name, std::unique_ptr<IncomingFile> file);
  BlobStore& store_;
  BlobName name_;
  std::unique_ptr<IncomingFile> file_;  // Null if the blob was there from the start, or is whole.
};

// Thread-safe. One process owns the folder.
class BlobStore {
 public:
  static StatusOr<std::unique_ptr<BlobStore>> Open(std::string folder);

  StatusOr<BlobName> Put(std::string_view bytes);
  // InvalidArgument (kLimitExceeded) over kBlobSizeMax. Unavailable if another writer of this blob is at work.
  StatusOr<std::unique_ptr<BlobWriter>> BeginWriting(const BlobName& name);

  bool Contains(const Digest& digest) const;
  // NotFound if it isn't here. The size is the file's own: the name it was written under.
  StatusOr<std::shared_ptr<const BlobReader>> Find(const Digest& digest) const;
  // The whole blob, its digest checked unless this program wrote or checked it before: DataLoss if the disk damaged it.
  // InvalidArgument if its size isn't name.size.
  StatusOr<std::string> Read(const BlobName& name) const;

  Status Remove(const Digest& digest);  // OK if it isn't here.
  // While somebody holds them, blobs that are removed stay on the disk, as if they hadn't been; they go with the last
  // hold. Must not outlive the store. (A program that dies meanwhile leaves them there: they cost space, no more.)
  class Hold {
   public:
    explicit Hold(BlobStore& store);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    BlobStore& store_;
  };
  // Every blob, in order of digest.
  StatusOr<std::vector<BlobName>> ListAll() const;
  // Drops what arrived in part, has no writer now and got nothing new since `untouched_since`. Returns the bytes freed.
  StatusOr<uint64_t> RemovePartials(absl::Time untouched_since);

 private:
  friend class BlobWriter;
  explicit BlobStore(std::string folder) : folder_(std::move(folder)) {}
  std::string FolderOf(const Digest& digest) const;
  std::string PathOf(const Digest& digest) const;
  std::string PartialOf(const Digest& digest) const;
  Status WriteWhole(const Digest& digest, std::string_view bytes);
  Status MakeFolderOf(const Digest& digest);
  bool ClaimWriting(const Digest& digest);
  void ReleaseWriting(const Digest& digest);
  void ReleaseHold();
  void Want(const Digest& digest);
  bool WasVerified(const Digest& digest) const;
  void NoteVerified(const Digest& digest) const;

  const std::string folder_;
  std::mutex folders_mutex_;
  mutable std::mutex mutex_;
  std::set<Digest> being_written_;     // Guarded by mutex_, as are the rest.
  mutable std::set<Digest> verified_;  // Written or checked by this program.
  int holds_ = 0;
  std::set<Digest> removed_;  // While held.
};

}  // namespace aisle
