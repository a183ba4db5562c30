// One call that changes a watched disk: what must be noted before it, and what the disk's faults make of it.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/faulty-disk/watched_disks.h"

namespace aisle::faulty_disk {

// Holds the disk's lock for the length of a call, and keeps errno as the call left it.
class Change {
 public:
  explicit Change(DiskHandle disk);
  ~Change();
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // Sets EIO if the disk is frozen; the call then fails with -1.
  bool Refused();
  Journal& journal() { return disk_->journal; }

  // How many of `size` bytes at `offset` may be written to a file of `size_now`; sets ENOSPC if none.
  uint64_t Grant(uint64_t offset, uint64_t size, uint64_t size_now);
  // A file's size went from one to the other.
  void CountSize(uint64_t before, uint64_t after);
  // Whether the sync at hand fails by the disk's orders.
  bool SyncFails();

  // Leaves what `errno` is now for the caller of the call.
  template <typename T>
  T Answer(T result) {
    error_ = errno;
    return result;
  }

 private:
  DiskHandle disk_;
  Journal::Lock lock_;
  int error_;
};

// What stands in [offset, offset + size) of a file, as far as it goes. `path` opens it where the descriptor can't read.
std::string BytesOf(int fd, uint64_t offset, uint64_t size);

std::optional<struct stat> Look(const std::string& path);  // Of the name itself, not what it points to.
std::optional<struct stat> Look(int fd);
uint64_t FolderOf(const std::string& path);  // Inode; 0 if there is none.

}  // namespace aisle::faulty_disk
