#include "base/storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/cover.h"
#include "base/storage/durability.h"
#include "base/storage/page_cache.h"

namespace aisle {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, std::max<size_t>(slash, 1));
}

StatusCode CodeOfErrno(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return StatusCode::kResourceExhausted;
    case ENOENT:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return StatusCode::kPermissionDenied;
    case EEXIST:
      return StatusCode::kAlreadyExists;
    default:
      return StatusCode::kUnavailable;
  }
}

// Of errno: a system that can't sync such a thing at all has lost nothing.
bool MeansLoss(int error) { return error != EINVAL && error != EROFS && error != EBADF; }

// After a sync that failed, with errno: what memory shows of the file isn't what the disk holds. It mustn't be read
// again as if it were, by whoever goes on over this file.
Status SyncFailed(int fd, const std::string& path) {
  const int error = errno;
  Status failed = ErrnoStatus(error, "sync", path);
  if (MeansLoss(error)) {
    DropFromMemory(fd, 0, 0);
    DurabilityLost(path, failed);
  }
  return failed;
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int FileDescriptor::Release() { return std::exchange(fd_, -1); }

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(Release());
}

Status ErrnoStatus(int error, std::string_view what, std::string_view path) {
  char text[128];
  return MakeStatus(CodeOfErrno(error),
                    fmt::format("cannot {} {}: {}", what, path, strerror_r(error, text, sizeof text)));
}

StatusOr<FileDescriptor> OpenFile(const std::string& path, int flags, unsigned mode) {
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file.valid()) return ErrnoStatus(errno, "open", path);
  return file;
}

StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max) {
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(path, O_RDONLY));
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got == 0) return content;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read", path);
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > size_max) return InvalidArgument("{} is larger than {} bytes", path, size_max);
  }
}

Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode) {
  const std::string aside = path + ".tmp";
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(aside, O_WRONLY | O_CREAT | O_TRUNC, mode));
  Status written = WriteAll(file.get(), content, aside);
  if (written.ok()) written = SyncData(file.get(), aside);
  if (!written.ok()) {
    ::unlink(aside.c_str());
    return written;
  }
  AISLE_COVER("commit.file.aside");
  return RenameDurably(aside, path);
}

Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(put));
  }
  return OkStatus();
}

Status WriteAllAt(int fd, std::string_view content, uint64_t offset, const std::string& path) {
  while (!content.empty()) {
    const ssize_t put = ::pwrite(fd, content.data(), content.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return OkStatus();
}

Status ReadExactlyAt(int fd, char* data, size_t size, uint64_t offset, const std::string& path) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, data, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read", path);
    if (got == 0) return DataLoss("{} ends at byte {}, {} bytes early", path, offset, size);
    data += got;
    size -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return OkStatus();
}

Status SyncData(int fd, const std::string& path) {
  while (::fdatasync(fd) != 0) {
    if (errno != EINTR) return SyncFailed(fd, path);
  }
  return OkStatus();
}

Status SyncFolder(const std::string& folder) {
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor directory, OpenFile(folder, O_RDONLY | O_DIRECTORY));
  while (::fsync(directory.get()) != 0) {
    if (errno != EINTR) return SyncFailed(directory.get(), folder);
  }
  return OkStatus();
}

Status RenameDurably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "rename " + from + " to", to);
  AISLE_COVER("commit.file.renamed");
  return SyncFolder(FolderOf(to));
}

Status MakeFolders(const std::string& folder) {
  struct Part {
    std::string path;
    bool made;
  };
  std::vector<Part> parts;
  for (size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
    const std::string path = folder.substr(0, slash);
    const bool made = !path.empty() && ::mkdir(path.c_str(), 0750) == 0;
    if (!path.empty() && !made && errno != EEXIST) return ErrnoStatus(errno, "make the folder", path);
    parts.push_back({path, made});
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return ErrnoStatus(errno, "find", folder);
  if (!S_ISDIR(info.st_mode)) return AlreadyExists("{} exists and is not a folder", folder);
  // A power cut takes a folder whose name was never synced with all that was synced in it. The last two are synced even
  // if they were there: whoever made them may have been killed before this.
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].made && i + 2 < parts.size()) continue;
    const Status synced = SyncFolder(FolderOf(parts[i].path));
    if (parts[i].made) AISLE_RETURN_IF_ERROR(synced);
  }
  return OkStatus();
}

Status RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "remove", path);
  return OkStatus();
}

Status RemoveFilesBut(const std::string& folder, std::string_view keep) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().string() != keep) AISLE_RETURN_IF_ERROR(RemoveFile(file.path().string()));
  }
  return error ? Unavailable("can't list {}: {}", folder, error.message()) : OkStatus();
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

StatusOr<uint64_t> FileSize(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "find", path);
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace aisle
