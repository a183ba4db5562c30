// The system calls themselves, past every interposed function: what the faulty disk does for itself goes this way, and
// what it lets through.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace aisle::faulty_disk::raw {

inline int Open(int folder, const char* path, int flags, mode_t mode = 0) {
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}
inline int Close(int fd) { return static_cast<int>(::syscall(SYS_close, fd)); }
inline ssize_t Read(int fd, void* to, size_t size, off_t offset) {
  return ::syscall(SYS_pread64, fd, to, size, offset);
}
inline ssize_t Write(int fd, const void* from, size_t size) { return ::syscall(SYS_write, fd, from, size); }
inline ssize_t WriteAt(int fd, const void* from, size_t size, off_t offset) {
  return ::syscall(SYS_pwrite64, fd, from, size, offset);
}
inline int Truncate(int fd, off_t size) { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); }
inline int Allocate(int fd, int mode, off_t offset, off_t size) {
  return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, size));
}
inline int Link(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
inline int Rename(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
inline int Unlink(int folder, const char* path, int flags) {
  return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
}
inline int MakeFolder(int folder, const char* path, mode_t mode) {
  return static_cast<int>(::syscall(SYS_mkdirat, folder, path, mode));
}
inline int MakeSymbolicLink(const char* target, int folder, const char* path) {
  return static_cast<int>(::syscall(SYS_symlinkat, target, folder, path));
}

}  // namespace aisle::faulty_disk::raw
