#include "tests/faulty-disk/changes.h"

#include <algorithm>
#include <utility>

#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {

Change::Change(DiskHandle disk) : disk_(std::move(disk)), lock_(disk_->journal), error_(errno) {}
Change::~Change() { errno = error_; }

bool Change::Refused() {
  if (journal().state().frozen == 0) return false;
  error_ = EIO;
  return true;
}

uint64_t Change::Grant(uint64_t offset, uint64_t size, uint64_t size_now) {
  const SharedState& state = journal().state();
  const uint64_t growth = std::max(offset + size, size_now) - size_now;
  if (state.bounded == 0 || growth <= state.space_left) return size;
  const uint64_t over = growth - state.space_left;
  if (over < size) return size - over;
  error_ = ENOSPC;
  return 0;
}

void Change::CountSize(uint64_t before, uint64_t after) {
  SharedState& state = journal().state();
  if (state.bounded == 0) return;
  state.space_left += before;
  state.space_left -= std::min(state.space_left, after);
}

bool Change::SyncFails() {
  SharedState& state = journal().state();
  if (state.syncs_before_fault == UINT64_MAX) return false;
  if (state.syncs_before_fault > 0) {
    --state.syncs_before_fault;
    return false;
  }
  if (state.syncs_at_fault == 0) return false;
  if (state.syncs_at_fault != UINT64_MAX) --state.syncs_at_fault;
  error_ = EIO;
  return true;
}

std::string BytesOf(int fd, uint64_t offset, uint64_t size) {
  const std::optional<struct stat> info = Look(fd);
  const uint64_t end = info ? static_cast<uint64_t>(info->st_size) : 0;
  if (offset >= end) return {};
  std::string bytes(std::min(size, end - offset), '\0');
  // Anew, for the descriptor at hand may be for writing only.
  const int reader = raw::Open(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
  if (reader < 0) Die("read again", PathOfDescriptor(fd));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got = raw::Read(reader, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got <= 0) Die("read again", PathOfDescriptor(fd));
    done += static_cast<size_t>(got);
  }
  raw::Close(reader);
  return bytes;
}

std::optional<struct stat> Look(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

std::optional<struct stat> Look(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return std::nullopt;
  return info;
}

uint64_t FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::optional<struct stat> info = Look(slash == 0 ? "/" : path.substr(0, slash));
  return info ? info->st_ino : 0;
}

}  // namespace aisle::faulty_disk
