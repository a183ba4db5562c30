// libc's calls that change or sync the bytes of files. Each: whose disk is it? If nobody's, straight on. Else note how
// to undo it, then let through what the disk's faults allow.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tests/faulty-disk/changes.h"
#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

bool IsFile(const std::optional<struct stat>& info) { return info && S_ISREG(info->st_mode); }
uint64_t SizeOf(const struct stat& info) { return static_cast<uint64_t>(info.st_size); }

// Where the bytes will go: -1 for the descriptor's own position.
uint64_t Offset(int fd, off_t offset, int flags, const struct stat& info) {
  if ((flags & O_APPEND) != 0) return SizeOf(info);  // On Linux pwrite appends too.
  return static_cast<uint64_t>(offset >= 0 ? offset : ::lseek(fd, 0, SEEK_CUR));
}

ssize_t PutOnDisk(int fd, const void* from, size_t size, off_t offset) {
  return offset >= 0 ? raw::WriteAt(fd, from, size, offset) : raw::Write(fd, from, size);
}

ssize_t WriteTo(int fd, const void* from, size_t size, off_t offset) {
  const DiskHandle disk = DiskOfDescriptor(fd);
  if (!disk || size == 0) return PutOnDisk(fd, from, size, offset);
  Change change(disk);
  const std::optional<struct stat> info = Look(fd);
  if (!IsFile(info)) return change.Answer(PutOnDisk(fd, from, size, offset));
  if (change.Refused()) return -1;
  const int flags = ::fcntl(fd, F_GETFL);
  const uint64_t at = Offset(fd, offset, flags, *info);
  const uint64_t granted = change.Grant(at, size, SizeOf(*info));
  if (granted == 0) return -1;
  change.journal().Append({.kind = Kind::kWrite,
                           .inode = info->st_ino,
                           .offset = at,
                           .length = granted,
                           .size_before = SizeOf(*info),
                           .old_bytes = BytesOf(fd, at, granted)});
  const ssize_t put = change.Answer(PutOnDisk(fd, from, granted, offset));
  if (put > 0) change.CountSize(SizeOf(*info), std::max(SizeOf(*info), at + static_cast<uint64_t>(put)));
  if ((flags & O_DSYNC) != 0) change.journal().Append({.kind = Kind::kSyncFile, .inode = info->st_ino});
  return put;
}

std::string Gathered(const iovec* parts, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return bytes;
}

ssize_t WriteParts(int fd, const iovec* parts, int count, off_t offset) {
  if (DiskOfDescriptor(fd)) {
    const std::string bytes = Gathered(parts, count);
    return WriteTo(fd, bytes.data(), bytes.size(), offset);
  }
  if (offset < 0) return ::syscall(SYS_writev, fd, parts, count);
  return ::syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

// Notes that the file's size becomes `size`, with what is cut off.
void NoteResize(Change& change, int fd, const struct stat& info, uint64_t size) {
  change.journal().Append({.kind = Kind::kResize,
                           .inode = info.st_ino,
                           .offset = size,
                           .length = size,
                           .size_before = SizeOf(info),
                           .old_bytes = BytesOf(fd, size, UINT64_MAX - size)});
}

int Resize(int fd, off_t size) {
  const DiskHandle disk = DiskOfDescriptor(fd);
  if (!disk || size < 0) return raw::Truncate(fd, size);
  Change change(disk);
  if (change.Refused()) return -1;
  const std::optional<struct stat> info = Look(fd);
  if (!IsFile(info)) return change.Answer(raw::Truncate(fd, size));
  NoteResize(change, fd, *info, static_cast<uint64_t>(size));  // Growth is a hole: it needs no space.
  const int done = change.Answer(raw::Truncate(fd, size));
  if (done == 0) change.CountSize(SizeOf(*info), std::min(SizeOf(*info), static_cast<uint64_t>(size)));
  return done;
}

int Allocate(int fd, int mode, off_t offset, off_t size) {
  const DiskHandle disk = DiskOfDescriptor(fd);
  if (!disk || offset < 0 || size <= 0) return raw::Allocate(fd, mode, offset, size);
  Change change(disk);
  if (change.Refused()) return -1;
  const std::optional<struct stat> info = Look(fd);
  if (!IsFile(info)) return change.Answer(raw::Allocate(fd, mode, offset, size));
  const auto first = static_cast<uint64_t>(offset);
  const auto length = static_cast<uint64_t>(size);
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0) {
    errno = EOPNOTSUPP;
    return change.Answer(-1);
  }
  if ((mode & FALLOC_FL_PUNCH_HOLE) == 0 && change.Grant(first, length, SizeOf(*info)) < length) {
    errno = ENOSPC;
    return change.Answer(-1);
  }
  if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0) {
    change.journal().Append({.kind = Kind::kWrite,
                             .inode = info->st_ino,
                             .offset = first,
                             .length = length,
                             .size_before = SizeOf(*info),
                             .old_bytes = BytesOf(fd, first, length)});
  } else if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && first + length > SizeOf(*info)) {
    NoteResize(change, fd, *info, first + length);
  }
  return change.Answer(raw::Allocate(fd, mode, offset, size));
}

int SyncFile(int fd, long call) {
  const DiskHandle disk = DiskOfDescriptor(fd);
  if (!disk) return static_cast<int>(::syscall(call, fd));
  Change change(disk);
  const std::optional<struct stat> info = Look(fd);
  if (!info) return change.Answer(static_cast<int>(::syscall(call, fd)));
  if (change.Refused()) return -1;
  const bool folder = S_ISDIR(info->st_mode);
  if (change.SyncFails()) {
    if (!folder) change.journal().Append({.kind = Kind::kSyncFileFailed, .inode = info->st_ino});
    return -1;
  }
  change.journal().Append({.kind = folder ? Kind::kSyncFolder : Kind::kSyncFile, .inode = info->st_ino});
  if (folder) change.journal().ForgetKept(info->st_ino);
  return 0;
}

int SyncDisk(int fd) {
  const DiskHandle disk = DiskOfDescriptor(fd);
  if (!disk) return static_cast<int>(::syscall(SYS_syncfs, fd));
  Change change(disk);
  if (change.Refused() || change.SyncFails()) return -1;
  change.journal().Append({.kind = Kind::kSyncAll});
  return 0;
}

}  // namespace
}  // namespace aisle::faulty_disk

namespace disk = aisle::faulty_disk;

extern "C" {

ssize_t write(int fd, const void* from, size_t size) { return disk::WriteTo(fd, from, size, -1); }
ssize_t writev(int fd, const iovec* parts, int count) { return disk::WriteParts(fd, parts, count, -1); }

ssize_t pwrite(int fd, const void* from, size_t size, off_t offset) {
  if (offset >= 0) return disk::WriteTo(fd, from, size, offset);
  errno = EINVAL;
  return -1;
}
ssize_t pwrite64(int fd, const void* from, size_t size, off64_t offset) { return pwrite(fd, from, size, offset); }

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  if (offset >= 0) return disk::WriteParts(fd, parts, count, offset);
  errno = EINVAL;
  return -1;
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }

int ftruncate(int fd, off_t size) noexcept { return disk::Resize(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return disk::Resize(fd, size); }
int truncate(const char* path, off_t size) noexcept {
  const int fd = disk::raw::Open(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  disk::ForgetDescriptor(fd);
  const int done = disk::Resize(fd, size);
  const int error = errno;
  disk::raw::Close(fd);
  disk::ForgetDescriptor(fd);
  errno = error;
  return done;
}
int truncate64(const char* path, off64_t size) noexcept { return truncate(path, size); }

int fallocate(int fd, int mode, off_t offset, off_t size) { return disk::Allocate(fd, mode, offset, size); }
int fallocate64(int fd, int mode, off64_t offset, off64_t size) { return disk::Allocate(fd, mode, offset, size); }
int posix_fallocate(int fd, off_t offset, off_t size) {
  const int before = errno;
  const int error = disk::Allocate(fd, 0, offset, size) == 0 ? 0 : errno;
  errno = before;
  return error;
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) { return posix_fallocate(fd, offset, size); }

int fsync(int fd) { return disk::SyncFile(fd, SYS_fsync); }
int fdatasync(int fd) { return disk::SyncFile(fd, SYS_fdatasync); }
int syncfs(int fd) noexcept { return disk::SyncDisk(fd); }

// Whoever copies this way tries again by reading and writing.
ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  if (!disk::DiskOfDescriptor(to)) return ::syscall(SYS_sendfile, to, from, offset, size);
  errno = EINVAL;
  return -1;
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t size) noexcept { return sendfile(to, from, offset, size); }
ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t size, unsigned flags) {
  if (!disk::DiskOfDescriptor(to)) return ::syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
  errno = EINVAL;
  return -1;
}

}  // extern "C"
