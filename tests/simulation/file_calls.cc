// libc's file calls, for everything in this program: those that concern a simulated disk are done there, all others go
// on to libc. A program's own symbols go before those of libraries, libstdc++'s calls included.
//
// Names are bound by asm labels, so that libc's headers, with their own ideas of these functions, can be used as well.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/disk.h"

namespace aisle::simulation {
namespace {

constexpr int kFirstDescriptor = 1 << 24;  // Far above any that the system gives.

struct OpenNode {
  std::shared_ptr<Node> node;
  Disk* disk = nullptr;
  std::string path;
  uint64_t offset = 0;
};
std::vector<std::unique_ptr<OpenNode>>& Descriptors() {
  static auto* const descriptors = new std::vector<std::unique_ptr<OpenNode>>;
  return *descriptors;
}

OpenNode* NodeOf(int fd) {
  if (fd < kFirstDescriptor) return nullptr;
  const auto index = static_cast<size_t>(fd - kFirstDescriptor);
  return index < Descriptors().size() ? Descriptors()[index].get() : nullptr;
}

int Describe(OpenNode opened) {
  auto& descriptors = Descriptors();
  const auto free = std::ranges::find_if(descriptors, [](const auto& open) { return open == nullptr; });
  const auto index = free - descriptors.begin();
  auto entry = std::make_unique<OpenNode>(std::move(opened));
  if (free == descriptors.end())
    descriptors.push_back(std::move(entry));
  else
    *free = std::move(entry);
  return kFirstDescriptor + static_cast<int>(index);
}

template <typename T>
T Answer(T result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// A folder that is being listed; passes for a DIR.
struct Listing {
  int fd;
  std::vector<std::pair<std::string, bool>> names;  // And whether it is a folder.
  size_t next = 0;
  dirent entry{};
};
std::map<void*, std::unique_ptr<Listing>>& Listings() {
  static auto* const listings = new std::map<void*, std::unique_ptr<Listing>>;
  return *listings;
}
Listing* ListingOf(void* folder) {
  const auto found = Listings().find(folder);
  return found == Listings().end() ? nullptr : found->second.get();
}

int OpenSimulated(const std::string& path, int flags) {
  Disk* disk = Disk::Find(path);
  if (disk == nullptr) return Answer(-ENOENT);
  Disk::Opened opened = disk->Open(path, flags);
  if (opened.error != 0) return Answer(opened.error);
  return Describe({.node = std::move(opened.node), .disk = disk, .path = path});
}

// Of a name that a call gives relative to a folder of ours, or whole; empty if it isn't ours.
std::string PathOf(int folder, const char* name) {
  if (Disk::IsSimulated(name)) return name;
  const OpenNode* open = name[0] == '/' ? nullptr : NodeOf(folder);
  return open == nullptr ? "" : open->path + "/" + name;
}

int Tell(const Node& node, struct stat* out) {
  std::memset(out, 0, sizeof *out);
  out->st_mode = node.folder ? S_IFDIR | 0750 : S_IFREG | 0640;
  out->st_size = static_cast<off_t>(node.content.size());
  out->st_nlink = 1;
  out->st_ino = reinterpret_cast<ino_t>(&node);
  out->st_mtim.tv_sec = static_cast<time_t>(node.changed);
  return 0;
}

int TellOfPath(const char* path, struct stat* out) {
  const Disk* disk = Disk::Find(path);
  if (disk == nullptr) {
    if (std::string_view(path) == "/simulated") return Tell(Node(true), out);
    return Answer(-ENOENT);
  }
  const std::shared_ptr<Node> node = disk->FindNode(path);
  return node == nullptr ? Answer(-ENOENT) : Tell(*node, out);
}

ssize_t ReadAt(const OpenNode& open, void* data, size_t size, uint64_t offset) {
  const std::string& content = open.node->content;
  if (offset >= content.size()) return 0;
  const size_t got = std::min<size_t>(size, content.size() - offset);
  std::memcpy(data, content.data() + offset, got);
  return static_cast<ssize_t>(got);
}

int RemoveSimulated(const std::string& path, bool folder) {
  Disk* disk = Disk::Find(path);
  return Answer(disk == nullptr ? -ENOENT : disk->Remove(path, folder));
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Defines libc's `name` as a function of ours; `real` within it is libc's.
#define AISLE_FILE_CALL(result, name, ...)                                                               \
  extern "C" __attribute__((visibility("default"))) result simulated_##name(__VA_ARGS__) __asm__(#name); \
  extern "C" result simulated_##name(__VA_ARGS__)
#define AISLE_REAL(name) static auto* const real = Real<decltype(simulated_##name)>(#name)

mode_t ModeOf(int flags, va_list arguments) { return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0; }

}  // namespace

AISLE_FILE_CALL(int, open, const char* path, int flags, ...) {
  if (Disk::IsSimulated(path)) return OpenSimulated(path, flags);
  AISLE_REAL(open);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return real(path, flags, mode);
}

AISLE_FILE_CALL(int, openat, int folder, const char* path, int flags, ...) {
  if (const std::string whole = PathOf(folder, path); !whole.empty()) return OpenSimulated(whole, flags);
  AISLE_REAL(openat);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return real(folder, path, flags, mode);
}

AISLE_FILE_CALL(int, close, int fd) {
  if (NodeOf(fd) != nullptr) {
    Descriptors()[static_cast<size_t>(fd - kFirstDescriptor)].reset();
    return 0;
  }
  AISLE_REAL(close);
  return real(fd);
}

AISLE_FILE_CALL(ssize_t, read, int fd, void* data, size_t size) {
  if (OpenNode* open = NodeOf(fd)) {
    const ssize_t got = ReadAt(*open, data, size, open->offset);
    open->offset += static_cast<uint64_t>(got);
    return got;
  }
  AISLE_REAL(read);
  return real(fd, data, size);
}

AISLE_FILE_CALL(ssize_t, pread, int fd, void* data, size_t size, off_t offset) {
  if (const OpenNode* open = NodeOf(fd)) return ReadAt(*open, data, size, static_cast<uint64_t>(offset));
  AISLE_REAL(pread);
  return real(fd, data, size, offset);
}

AISLE_FILE_CALL(ssize_t, write, int fd, const void* data, size_t size) {
  if (OpenNode* open = NodeOf(fd)) {
    const int64_t put = open->disk->Write(*open->node, open->offset, {static_cast<const char*>(data), size});
    if (put > 0) open->offset += static_cast<uint64_t>(put);
    return Answer(put);
  }
  AISLE_REAL(write);
  return real(fd, data, size);
}

AISLE_FILE_CALL(ssize_t, pwrite, int fd, const void* data, size_t size, off_t offset) {
  if (const OpenNode* open = NodeOf(fd)) {
    return Answer(
        open->disk->Write(*open->node, static_cast<uint64_t>(offset), {static_cast<const char*>(data), size}));
  }
  AISLE_REAL(pwrite);
  return real(fd, data, size, offset);
}

AISLE_FILE_CALL(int, fsync, int fd) {
  if (const OpenNode* open = NodeOf(fd)) return Answer(open->disk->Sync(*open->node));
  AISLE_REAL(fsync);
  return real(fd);
}

AISLE_FILE_CALL(int, fdatasync, int fd) {
  if (const OpenNode* open = NodeOf(fd)) return Answer(open->disk->Sync(*open->node));
  AISLE_REAL(fdatasync);
  return real(fd);
}

AISLE_FILE_CALL(int, sync_file_range, int fd, off_t offset, off_t size, unsigned flags) {
  if (NodeOf(fd) != nullptr) return 0;  // A hint, and no promise.
  AISLE_REAL(sync_file_range);
  return real(fd, offset, size, flags);
}

AISLE_FILE_CALL(int, posix_fadvise, int fd, off_t offset, off_t size, int advice) {
  if (const OpenNode* open = NodeOf(fd)) {
    if (advice == POSIX_FADV_DONTNEED && offset == 0 && size == 0) open->disk->ReadAnew(*open->node);
    return 0;
  }
  AISLE_REAL(posix_fadvise);
  return real(fd, offset, size, advice);
}

AISLE_FILE_CALL(int, ftruncate, int fd, off_t size) {
  if (const OpenNode* open = NodeOf(fd)) return Answer(open->disk->Cut(*open->node, static_cast<uint64_t>(size)));
  AISLE_REAL(ftruncate);
  return real(fd, size);
}

AISLE_FILE_CALL(int, fstat, int fd, struct stat* out) {
  if (const OpenNode* open = NodeOf(fd)) return Tell(*open->node, out);
  AISLE_REAL(fstat);
  return real(fd, out);
}

AISLE_FILE_CALL(int, stat, const char* path, struct stat* out) {
  if (Disk::IsSimulated(path)) return TellOfPath(path, out);
  AISLE_REAL(stat);
  return real(path, out);
}

AISLE_FILE_CALL(int, lstat, const char* path, struct stat* out) {
  if (Disk::IsSimulated(path)) return TellOfPath(path, out);
  AISLE_REAL(lstat);
  return real(path, out);
}

AISLE_FILE_CALL(int, access, const char* path, int mode) {
  if (Disk::IsSimulated(path)) {
    struct stat ignored {};
    return TellOfPath(path, &ignored);
  }
  AISLE_REAL(access);
  return real(path, mode);
}

AISLE_FILE_CALL(int, mkdir, const char* path, mode_t mode) {
  if (Disk::IsSimulated(path)) {
    Disk* disk = Disk::Find(path);
    return Answer(disk == nullptr ? -EEXIST : disk->MakeFolder(path));
  }
  AISLE_REAL(mkdir);
  return real(path, mode);
}

AISLE_FILE_CALL(int, rename, const char* from, const char* to) {
  if (Disk::IsSimulated(from)) {
    Disk* disk = Disk::Find(from);
    return Answer(disk == nullptr || disk != Disk::Find(to) ? -EXDEV : disk->Move(from, to));
  }
  AISLE_REAL(rename);
  return real(from, to);
}

AISLE_FILE_CALL(int, unlink, const char* path) {
  if (Disk::IsSimulated(path)) return RemoveSimulated(path, false);
  AISLE_REAL(unlink);
  return real(path);
}

AISLE_FILE_CALL(int, unlinkat, int folder, const char* path, int flags) {
  const std::string whole = PathOf(folder, path);
  if (!whole.empty()) return RemoveSimulated(whole, (flags & AT_REMOVEDIR) != 0);
  AISLE_REAL(unlinkat);
  return real(folder, path, flags);
}

AISLE_FILE_CALL(int, rmdir, const char* path) {
  if (Disk::IsSimulated(path)) return RemoveSimulated(path, true);
  AISLE_REAL(rmdir);
  return real(path);
}

AISLE_FILE_CALL(int, remove, const char* path) {
  if (Disk::IsSimulated(path)) {
    const Disk* disk = Disk::Find(path);
    const std::shared_ptr<Node> node = disk == nullptr ? nullptr : disk->FindNode(path);
    return node == nullptr ? Answer(-ENOENT) : RemoveSimulated(path, node->folder);
  }
  AISLE_REAL(remove);
  return real(path);
}

AISLE_FILE_CALL(int, utimensat, int folder, const char* path, const struct timespec* times, int flags) {
  if (!PathOf(folder, path).empty()) return 0;
  AISLE_REAL(utimensat);
  return real(folder, path, times, flags);
}

AISLE_FILE_CALL(DIR*, fdopendir, int fd) {
  if (const OpenNode* open = NodeOf(fd)) {
    auto listing = std::make_unique<Listing>(Listing{.fd = fd});
    for (const auto& [name, node] : open->node->names) listing->names.emplace_back(name, node->folder);
    auto* const folder = reinterpret_cast<DIR*>(listing.get());
    Listings().emplace(folder, std::move(listing));
    return folder;
  }
  AISLE_REAL(fdopendir);
  return real(fd);
}

AISLE_FILE_CALL(DIR*, opendir, const char* path) {
  if (Disk::IsSimulated(path)) {
    const int fd = OpenSimulated(path, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? nullptr : simulated_fdopendir(fd);
  }
  AISLE_REAL(opendir);
  return real(path);
}

AISLE_FILE_CALL(struct dirent*, readdir, DIR* folder) {
  if (Listing* listing = ListingOf(folder)) {
    if (listing->next == listing->names.size()) return nullptr;
    const auto& [name, is_folder] = listing->names[listing->next++];
    listing->entry.d_type = is_folder ? DT_DIR : DT_REG;
    listing->entry.d_name[name.copy(listing->entry.d_name, sizeof listing->entry.d_name - 1)] = '\0';
    return &listing->entry;
  }
  AISLE_REAL(readdir);
  return real(folder);
}

AISLE_FILE_CALL(int, closedir, DIR* folder) {
  if (const Listing* listing = ListingOf(folder)) {
    simulated_close(listing->fd);
    Listings().erase(folder);
    return 0;
  }
  AISLE_REAL(closedir);
  return real(folder);
}

AISLE_FILE_CALL(int, dirfd, DIR* folder) {
  if (const Listing* listing = ListingOf(folder)) return listing->fd;
  AISLE_REAL(dirfd);
  return real(folder);
}

}  // namespace aisle::simulation
