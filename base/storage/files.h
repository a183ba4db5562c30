// Files that survive a power cut: written aside, synced, renamed, and the folder synced too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

// An open file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// What errno says of `what`, as a status: ENOSPC and EDQUOT give ResourceExhausted, ENOENT NotFound, EACCES, EPERM and
// EROFS PermissionDenied, EEXIST AlreadyExists, anything else Unavailable. Names the path and the reason.
Status ErrnoStatus(int error, std::string_view what, std::string_view path);

StatusOr<FileDescriptor> OpenFile(const std::string& path, int flags, unsigned mode = 0640);
// InvalidArgument if the file is larger than `size_max`.
StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max = 64 << 20);
// Atomic and durable: readers see the old content or the new, also after a power cut. `mode` 0600 for secrets.
Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode = 0640);
// Writes all of `content` at the descriptor's position, or at `offset`.
Status WriteAll(int fd, std::string_view content, const std::string& path);
Status WriteAllAt(int fd, std::string_view content, uint64_t offset, const std::string& path);
// Reads exactly `size` bytes at `offset`; DataLoss if the file ends before.
Status ReadExactlyAt(int fd, char* data, size_t size, uint64_t offset, const std::string& path);
Status SyncData(int fd, const std::string& path);
// Makes renames, creations and removals inside the folder durable.
Status SyncFolder(const std::string& folder);
Status RenameDurably(const std::string& from, const std::string& to);
// Creates the folder and its parents (0750). PermissionDenied and so on name the folder.
Status MakeFolders(const std::string& folder);
Status RemoveFile(const std::string& path);  // OK if it isn't there.
// Every file of the folder but the one at `keep`; all of them if that is empty. Unavailable if it can't be listed.
Status RemoveFilesBut(const std::string& folder, std::string_view keep);
bool FileExists(const std::string& path);
StatusOr<uint64_t> FileSize(const std::string& path);

}  // namespace aisle
