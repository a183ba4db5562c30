// libc's calls that make, move and remove names, open files and ask for space: as file_calls.cc.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/faulty-disk/changes.h"
#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

// A name that a call is about to change.
struct Name {
  std::string path;
  uint64_t folder = 0;
  std::optional<struct stat> info;

  explicit Name(std::string absolute) : path(std::move(absolute)), folder(FolderOf(path)), info(Look(path)) {}
  uint64_t inode() const { return info ? info->st_ino : 0; }
  bool is_folder() const { return info && S_ISDIR(info->st_mode); }
  bool is_file() const { return info && S_ISREG(info->st_mode); }
  uint64_t size() const { return is_file() ? static_cast<uint64_t>(info->st_size) : 0; }
  bool last_name() const { return is_file() && info->st_nlink == 1; }
};

// For the undoing of O_TRUNC.
void NoteEmptying(Change& change, const Name& name) {
  const int fd = raw::Open(AT_FDCWD, name.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;  // Nor will the call at hand be able to.
  change.journal().Append({.kind = Kind::kResize,
                           .inode = name.inode(),
                           .size_before = name.size(),
                           .old_bytes = BytesOf(fd, 0, UINT64_MAX)});
  raw::Close(fd);
}

void NoteCreation(Change& change, const std::string& path, Kind kind = Kind::kCreate) {
  const Name made(path);
  if (made.info) change.journal().Append({.kind = kind, .inode = made.inode(), .folder = made.folder, .path = path});
}

// Calls `open`, which gives what is opened or a failure, between the notes that its effects need.
template <typename Opener, typename Failed>
auto OpenOn(const DiskHandle& disk, const std::string& path, int flags, Opener open, Failed failed) {
  Change change(disk);
  const Name name(path);
  const bool creates = (flags & O_CREAT) != 0 && !name.info;
  const bool empties = (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY && (flags & O_EXCL) == 0 &&
                       name.is_file() && name.size() > 0;
  if ((creates || empties) && change.Refused()) return failed();
  if (empties) NoteEmptying(change, name);
  auto opened = change.Answer(open());
  if (opened == failed()) return opened;
  if (creates) NoteCreation(change, path);
  if (empties) change.CountSize(name.size(), 0);
  return opened;
}

int OpenAt(int folder, const char* path, int flags, mode_t mode) {
  if (!AnyWatched() || Bypassed()) {
    const int fd = raw::Open(folder, path, flags, mode);
    ForgetDescriptor(fd);
    return fd;
  }
  const std::string absolute = AbsolutePath(folder, path);
  const DiskHandle disk = DiskOfPath(absolute);
  const auto open = [&] { return raw::Open(folder, path, flags, mode); };
  const int fd = disk ? OpenOn(disk, absolute, flags, open, [] { return -1; }) : open();
  NoteDescriptor(fd, disk);
  return fd;
}

FILE* OpenStream(const char* path, const char* mode) {
  using Function = FILE* (*)(const char*, const char*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "fopen"));
  const std::string absolute = AnyWatched() ? AbsolutePath(AT_FDCWD, path) : std::string();
  const DiskHandle disk = DiskOfPath(absolute);
  const auto open = [&] { return real(path, mode); };
  const std::string_view letters = mode;
  int flags = letters.find('+') != std::string_view::npos ? O_RDWR : O_RDONLY;
  if (!letters.starts_with('r')) flags = O_WRONLY | O_CREAT | (letters.starts_with('w') ? O_TRUNC : O_APPEND);
  FILE* stream = disk ? OpenOn(disk, absolute, flags, open, [] { return static_cast<FILE*>(nullptr); }) : open();
  if (stream != nullptr) NoteDescriptor(::fileno(stream), disk);
  return stream;
}

// Keeps what loses its name, so that it can come back.
uint64_t KeepBefore(Change& change, const Name& name) {
  return name.info && !name.is_folder() ? change.journal().Keep(name.path, name.folder) : 0;
}

int RemoveFrom(const DiskHandle& disk, const std::string& path, int folder, const char* given, int flags) {
  Change change(disk);
  const Name name(path);
  if (!name.info) return change.Answer(raw::Unlink(folder, given, flags));
  if (change.Refused()) return -1;
  const bool is_folder = (flags & AT_REMOVEDIR) != 0;
  const uint64_t kept = is_folder ? 0 : KeepBefore(change, name);
  const int done = change.Answer(raw::Unlink(folder, given, flags));
  if (done != 0) {
    if (kept != 0) change.journal().DropKept(name.folder, kept);
    return done;
  }
  change.journal().Append({.kind = is_folder ? Kind::kRemoveFolder : Kind::kRemove,
                           .inode = name.inode(),
                           .folder = name.folder,
                           .length = is_folder ? name.info->st_mode & 07777u : 0u,
                           .kept = kept,
                           .path = path});
  if (name.last_name()) change.CountSize(name.size(), 0);
  return done;
}

int RemoveAt(int folder, const char* path, int flags) {
  const std::string absolute = AnyWatched() ? AbsolutePath(folder, path) : std::string();
  const DiskHandle disk = DiskOfPath(absolute);
  return disk ? RemoveFrom(disk, absolute, folder, path, flags) : raw::Unlink(folder, path, flags);
}

int RenameOn(const DiskHandle& disk, const std::string& from_path, const std::string& to_path, unsigned flags) {
  Change change(disk);
  if (change.Refused()) return -1;
  const Name from(from_path);
  const Name to(to_path);
  const auto rename = [&] { return raw::Rename(AT_FDCWD, from_path.c_str(), AT_FDCWD, to_path.c_str(), flags); };
  if (!from.info || from.inode() == to.inode()) return change.Answer(rename());
  const uint64_t kept = KeepBefore(change, to);
  const int done = change.Answer(rename());
  if (done != 0) {
    if (kept != 0) change.journal().DropKept(to.folder, kept);
    return done;
  }
  change.journal().Append({.kind = Kind::kRename,
                           .inode = from.inode(),
                           .folder = to.folder,
                           .folder_from = from.folder,
                           .kept = kept,
                           .is_folder = from.is_folder(),
                           .path = to_path,
                           .from = from_path});
  if (to.last_name()) change.CountSize(to.size(), 0);
  return done;
}

int RenameAt(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const std::string from_path = AnyWatched() ? AbsolutePath(from_folder, from) : std::string();
  const std::string to_path = AnyWatched() ? AbsolutePath(to_folder, to) : std::string();
  DiskHandle disk = DiskOfPath(to_path);
  if (!disk) disk = DiskOfPath(from_path);
  if (!disk) return raw::Rename(from_folder, from, to_folder, to, flags);
  if ((flags & 2u) == 0) return RenameOn(disk, from_path, to_path, flags);
  errno = EINVAL;  // RENAME_EXCHANGE.
  return -1;
}

// `make` makes the name at `folder`/`path`.
template <typename Maker>
int Make(int folder, const char* path, Kind kind, Maker make) {
  const std::string absolute = AnyWatched() ? AbsolutePath(folder, path) : std::string();
  const DiskHandle disk = DiskOfPath(absolute);
  if (!disk) return make();
  Change change(disk);
  if (Look(absolute)) return change.Answer(make());  // Fails with EEXIST, frozen or not.
  if (change.Refused()) return -1;
  const int done = change.Answer(make());
  if (done == 0) NoteCreation(change, absolute, kind);
  return done;
}

int LinkAt(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return Make(to_folder, to, Kind::kCreate, [=] { return raw::Link(from_folder, from, to_folder, to, flags); });
}
int MakeFolderAt(int folder, const char* path, mode_t mode) {
  return Make(folder, path, Kind::kMakeFolder, [=] { return raw::MakeFolder(folder, path, mode); });
}
int MakeSymbolicLinkAt(const char* target, int folder, const char* path) {
  return Make(folder, path, Kind::kCreate, [=] { return raw::MakeSymbolicLink(target, folder, path); });
}

// A bounded disk has no more free space than its bound.
int BoundSpace(const DiskHandle& disk, int result, struct statvfs* space) {
  if (!disk || result != 0) return result;
  Change change(disk);
  const SharedState& state = change.journal().state();
  if (state.bounded == 0) return result;
  const uint64_t blocks = state.space_left / std::max<uint64_t>(1, space->f_frsize);
  space->f_bavail = std::min<fsblkcnt_t>(space->f_bavail, blocks);
  space->f_bfree = std::min<fsblkcnt_t>(space->f_bfree, blocks);
  return result;
}

int SpaceOf(const char* path, struct statvfs* space) {
  using Function = int (*)(const char*, struct statvfs*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "statvfs"));
  return BoundSpace(AnyWatched() ? DiskOfPath(AbsolutePath(AT_FDCWD, path)) : nullptr, real(path, space), space);
}

int SpaceOfDescriptor(int fd, struct statvfs* space) {
  using Function = int (*)(int, struct statvfs*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "fstatvfs"));
  return BoundSpace(DiskOfDescriptor(fd), real(fd, space), space);
}

int Duplicate(int from, int to, int flags) {
  if (from == to && flags == 0) return static_cast<int>(::syscall(SYS_dup2, from, to));
  const int fd = static_cast<int>(::syscall(SYS_dup3, from, to, flags));
  ForgetDescriptor(fd);
  return fd;
}

// The mode that open's callers give only where a file may be made.
mode_t ModeOf(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? va_arg(arguments, mode_t) : 0;
}

}  // namespace
}  // namespace aisle::faulty_disk

namespace disk = aisle::faulty_disk;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = disk::ModeOf(flags, arguments);
  va_end(arguments);
  return disk::OpenAt(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = disk::ModeOf(flags, arguments);
  va_end(arguments);
  return disk::OpenAt(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = disk::ModeOf(flags, arguments);
  va_end(arguments);
  return disk::OpenAt(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = disk::ModeOf(flags, arguments);
  va_end(arguments);
  return disk::OpenAt(folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) { return disk::OpenAt(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return disk::OpenAt(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
// What _FORTIFY_SOURCE calls for an open without a mode.
int __open_2(const char* path, int flags) { return disk::OpenAt(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return disk::OpenAt(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char* path, int flags) { return disk::OpenAt(folder, path, flags, 0); }
int __openat64_2(int folder, const char* path, int flags) { return disk::OpenAt(folder, path, flags, 0); }

FILE* fopen(const char* path, const char* mode) { return disk::OpenStream(path, mode); }
FILE* fopen64(const char* path, const char* mode) { return disk::OpenStream(path, mode); }

int close(int fd) {
  disk::ForgetDescriptor(fd);
  return disk::raw::Close(fd);
}
int dup2(int from, int to) noexcept { return disk::Duplicate(from, to, 0); }
int dup3(int from, int to, int flags) noexcept { return disk::Duplicate(from, to, flags); }

int unlink(const char* path) noexcept { return disk::RemoveAt(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char* path, int flags) noexcept { return disk::RemoveAt(folder, path, flags); }
int rmdir(const char* path) noexcept { return disk::RemoveAt(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) noexcept {
  struct stat info {};
  const bool is_folder = ::lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
  return disk::RemoveAt(AT_FDCWD, path, is_folder ? AT_REMOVEDIR : 0);
}

int rename(const char* from, const char* to) noexcept { return disk::RenameAt(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return disk::RenameAt(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return disk::RenameAt(from_folder, from, to_folder, to, flags);
}

int link(const char* from, const char* to) noexcept { return disk::LinkAt(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return disk::LinkAt(from_folder, from, to_folder, to, flags);
}
int symlink(const char* target, const char* path) noexcept { return disk::MakeSymbolicLinkAt(target, AT_FDCWD, path); }
int symlinkat(const char* target, int folder, const char* path) noexcept {
  return disk::MakeSymbolicLinkAt(target, folder, path);
}
int mkdir(const char* path, mode_t mode) noexcept { return disk::MakeFolderAt(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char* path, mode_t mode) noexcept { return disk::MakeFolderAt(folder, path, mode); }

int statvfs(const char* path, struct statvfs* space) noexcept { return disk::SpaceOf(path, space); }
int fstatvfs(int fd, struct statvfs* space) noexcept { return disk::SpaceOfDescriptor(fd, space); }
// The same structure on 64-bit systems.
int statvfs64(const char* path, struct statvfs64* space) noexcept {
  return disk::SpaceOf(path, reinterpret_cast<struct statvfs*>(space));
}
int fstatvfs64(int fd, struct statvfs64* space) noexcept {
  return disk::SpaceOfDescriptor(fd, reinterpret_cast<struct statvfs*>(space));
}

}  // extern "C"
