#include "tests/faulty-disk/watched_disks.h"

#include <climits>
#include <cstdlib>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string_view>

#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

constexpr size_t kDescriptorsKnown = 1 << 16;
constexpr uint16_t kUnknown = 0;
constexpr uint16_t kElsewhere = 1;
constexpr uint16_t kFirstSlot = 2;

// By descriptor: kUnknown, kElsewhere, or the disk's slot + kFirstSlot.
std::array<std::atomic<uint16_t>, kDescriptorsKnown> descriptors;
std::atomic<size_t> watched = 0;
thread_local int bypasses __attribute__((tls_model("initial-exec"))) = 0;

struct Slots {
  std::shared_mutex mutex;
  std::vector<DiskHandle> disks;  // Null where one was let go.
};
Slots& TheSlots() {
  static Slots* const slots = new Slots;  // Calls go on while statics are torn down.
  return *slots;
}

std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool LiesBelow(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool Holds(const WatchedDisk& disk, std::string_view path) {
  return std::ranges::any_of(disk.folders, [path](const std::string& folder) { return LiesBelow(path, folder); });
}

// Takes out "//", "/./" and "/../".
std::string Tidied(const std::string& path) {
  if (path.find("//") == std::string::npos && path.find("/.") == std::string::npos) return path;
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = std::string_view(path).substr(at, end - at);
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string tidied;
  for (const std::string_view part : parts) tidied.append("/").append(part);
  return tidied.empty() ? "/" : tidied;
}

std::string ReadLink(const char* path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlink(path, target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<size_t>(size)) : std::string();
}

}  // namespace

WatchedDisk::WatchedDisk(std::vector<std::string> folders_watched, const std::string& journal_folder)
    : journal(WithoutSlashes(AbsolutePath(AT_FDCWD, journal_folder.c_str()))) {
  for (const std::string& named : folders_watched) {
    folders.push_back(WithoutSlashes(AbsolutePath(AT_FDCWD, named.c_str())));
    std::array<char, PATH_MAX> resolved;
    if (::realpath(named.c_str(), resolved.data()) != nullptr && folders.back() != resolved.data()) {
      folders.emplace_back(resolved.data());
    }
  }
  if (Holds(*this, journal.path())) Die("keep a journal inside of what it watches:", journal.path());
  const Journal::Lock lock(journal);
  journal.NoteFolders(folders);
}

void Watch(const DiskHandle& disk) {
  Slots& slots = TheSlots();
  const std::unique_lock lock(slots.mutex);
  const auto free = std::ranges::find(slots.disks, nullptr);
  if (free != slots.disks.end()) {
    *free = disk;
  } else {
    slots.disks.push_back(disk);
  }
  for (auto& known : descriptors) {
    if (known == kElsewhere) known = kUnknown;
  }
  ++watched;
}

void Unwatch(const DiskHandle& disk) {
  Slots& slots = TheSlots();
  const std::unique_lock lock(slots.mutex);
  const auto found = std::ranges::find(slots.disks, disk);
  if (found == slots.disks.end()) return;
  const auto mark = static_cast<uint16_t>(found - slots.disks.begin() + kFirstSlot);
  for (auto& known : descriptors) {
    if (known == mark) known = kUnknown;
  }
  *found = nullptr;
  --watched;
}

DiskHandle DiskOfPath(const std::string& absolute_path) {
  if (absolute_path.empty() || Bypassed() || !AnyWatched()) return nullptr;
  Slots& slots = TheSlots();
  const std::shared_lock lock(slots.mutex);
  for (const DiskHandle& disk : slots.disks) {
    if (disk && Holds(*disk, absolute_path)) return disk;
  }
  return nullptr;
}

DiskHandle DiskOfDescriptor(int fd) {
  if (fd < 0 || Bypassed() || !AnyWatched()) return nullptr;
  const uint16_t known =
      static_cast<size_t>(fd) < kDescriptorsKnown ? descriptors[static_cast<size_t>(fd)].load() : kUnknown;
  if (known == kElsewhere) return nullptr;
  if (known >= kFirstSlot) {
    Slots& slots = TheSlots();
    const std::shared_lock lock(slots.mutex);
    return slots.disks[known - kFirstSlot];
  }
  DiskHandle disk = DiskOfPath(PathOfDescriptor(fd));
  NoteDescriptor(fd, disk);
  return disk;
}

void NoteDescriptor(int fd, const DiskHandle& disk) {
  if (fd < 0 || static_cast<size_t>(fd) >= kDescriptorsKnown || Bypassed()) return;
  uint16_t known = AnyWatched() ? kElsewhere : kUnknown;
  if (disk) {
    Slots& slots = TheSlots();
    const std::shared_lock lock(slots.mutex);
    const auto found = std::ranges::find(slots.disks, disk);
    known = found == slots.disks.end() ? kUnknown : static_cast<uint16_t>(found - slots.disks.begin() + kFirstSlot);
  }
  descriptors[static_cast<size_t>(fd)] = known;
}

void ForgetDescriptor(int fd) {
  if (fd >= 0 && static_cast<size_t>(fd) < kDescriptorsKnown) descriptors[static_cast<size_t>(fd)] = kUnknown;
}

std::string PathOfDescriptor(int fd) {
  std::string path = ReadLink(("/proc/self/fd/" + std::to_string(fd)).c_str());
  return path.starts_with('/') ? path : std::string();
}

std::string AbsolutePath(int folder, const char* path) {
  if (path == nullptr) return {};
  if (path[0] == '/') return WithoutSlashes(Tidied(path));
  std::string base = folder == AT_FDCWD ? ReadLink("/proc/self/cwd") : PathOfDescriptor(folder);
  if (base.empty()) return {};
  return WithoutSlashes(Tidied(base + "/" + path));
}

Bypass::Bypass() { ++bypasses; }
Bypass::~Bypass() { --bypasses; }
bool Bypassed() { return bypasses > 0; }
bool AnyWatched() { return watched.load(std::memory_order_relaxed) > 0; }

}  // namespace aisle::faulty_disk
