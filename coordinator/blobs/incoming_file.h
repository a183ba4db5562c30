// A file that arrives from a peer: bytes of a promised digest and size, in order, in any chunks, resumable after a cut
// or a restart, and only under its real name once it is whole, verified and on the disk.
//
// Until then it lies at `partial`. The digest is computed as bytes arrive, and the system is told to start writing
// early, so that finishing a large file waits for its last MiB only.
//
// A file that `passes` is hardly ever read again. Its large pieces go to the disk past the system's memory, where the
// file system can do that; otherwise what is on the disk leaves memory while the rest arrives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/fleet.h"
#include "base/status.h"
#include "base/storage/files.h"

namespace aisle {

// Not thread-safe.
class IncomingFile {
 public:
  // Bytes between hints to the system to start writing.
  static constexpr uint64_t kWriteBackStep = 1 << 20;
  // Pieces of a passing file from this size on are written past memory.
  static constexpr uint64_t kDirectMin = 64 << 10;
  // Bytes of a passing file that stay in memory: so much that the disk has mostly taken what leaves.
  static constexpr uint64_t kInMemoryMax = 4 << 20;

  struct Place {
    std::string partial;  // Both on one file system.
    std::string complete;
    bool passes = false;
  };
  // Begins, or goes on with what `partial` holds (reading it again to hash it). A partial longer than promised is
  // dropped.
  static StatusOr<IncomingFile> Open(Place place, const BlobName& name);

  ~IncomingFile();  // Leaves what came for the next one of the same place; nothing if nothing came.
  IncomingFile(IncomingFile&&) noexcept = default;
  IncomingFile& operator=(IncomingFile&&) = delete;

  const BlobName& name() const { return name_; }
  // Bytes here from the start. They survive the end of this program; a power cut may cost some of the latest.
  uint64_t received() const { return received_; }

  // InvalidArgument (kSizeMismatch) and nothing taken if this is more than was promised. ResourceExhausted
  // (kStorageFull) if the disk is full: the partial file is dropped, so that its space can serve another, and
  // received() is zero again.
  Status Append(std::string_view data);
  // Reads back what is here, also what a Finish that answered DataLoss has just dropped.
  Status ReadBack(uint64_t offset, char* data, size_t size);
  // FailedPrecondition (kSizeMismatch) if bytes are missing. DataLoss (kDigestMismatch) if they aren't what was
  // promised: the partial file is dropped. Otherwise the file is synced and gets its name; the folder's own sync is the
  // caller's. After that, only name() and received() may be used.
  Status Finish();
  // Drops the partial file.
  void Abandon();

 private:
  IncomingFile(Place place, const BlobName& name, FileDescriptor file);
  Status HashAgain(uint64_t size);
  Status Restart();
  bool GoesDirectly(uint64_t size) const;
  void Direct(bool direct);
  Status WriteDirect(std::string_view data);
  Status Write(std::string_view data);
  void WriteBack();

  Place place_;
  BlobName name_;
  FileDescriptor file_;
  Sha256 hash_;
  uint64_t received_ = 0;
  uint64_t written_back_ = 0;  // Up to here the system was told to write.
  uint64_t dropped_ = 0;       // Up to here a passing file has left memory.
  bool can_direct_ = false;    // Its file system writes past memory …
  bool direct_ = false;        // … and does so now.
  bool abandoned_ = false;     // It has no name any more.
};

// ResourceExhausted of the disk becomes one with Reason::kStorageFull; other errors pass unchanged.
Status NameFullDisk(Status status);

}  // namespace aisle
