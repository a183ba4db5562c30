#include "tests/faulty-disk/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

constexpr uint64_t kStateMagic = 0x6469736b73746131;
constexpr uint32_t kRecordMagic = 0x7265636f;
constexpr size_t kStateSize = 4096;
static_assert(sizeof(SharedState) <= kStateSize);

// A record on the disk: this, then path, from and old bytes.
struct Head {
  uint32_t magic;
  uint32_t kind;
  std::array<uint64_t, 7> numbers;
  uint32_t is_folder;
  uint32_t path_size;
  uint64_t from_size;
  uint64_t old_size;
};

std::string Encode(const Record& record) {
  Head head{};
  head.magic = kRecordMagic;
  head.kind = static_cast<uint32_t>(record.kind);
  head.numbers = {record.inode,  record.folder,      record.folder_from, record.offset,
                  record.length, record.size_before, record.kept};
  head.is_folder = record.is_folder ? 1 : 0;
  head.path_size = static_cast<uint32_t>(record.path.size());
  head.from_size = record.from.size();
  head.old_size = record.old_bytes.size();
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  return bytes.append(record.path).append(record.from).append(record.old_bytes);
}

// Takes one record off the front.
Record Decode(std::string_view& bytes, const std::string& path) {
  Head head{};
  if (bytes.size() < sizeof head) Die("read the end of the journal", path);
  std::memcpy(&head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  if (head.magic != kRecordMagic || bytes.size() < head.path_size + head.from_size + head.old_size) {
    Die("make sense of the journal", path);
  }
  Record record;
  record.kind = static_cast<Kind>(head.kind);
  record.inode = head.numbers[0];
  record.folder = head.numbers[1];
  record.folder_from = head.numbers[2];
  record.offset = head.numbers[3];
  record.length = head.numbers[4];
  record.size_before = head.numbers[5];
  record.kept = head.numbers[6];
  record.is_folder = head.is_folder != 0;
  const auto take = [&bytes](uint64_t size) {
    std::string taken(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return taken;
  };
  record.path = take(head.path_size);
  record.from = take(head.from_size);
  record.old_bytes = take(head.old_size);
  return record;
}

void WriteWhole(int fd, std::string_view bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = raw::WriteAt(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put <= 0) Die("write the journal", path);
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

std::string ReadWhole(int fd, uint64_t size, const std::string& path) {
  std::string bytes(size, '\0');
  for (uint64_t done = 0; done < size;) {
    const ssize_t got = raw::Read(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (got <= 0) Die("read the journal", path);
    done += static_cast<uint64_t>(got);
  }
  return bytes;
}

void MakeLock(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

SharedState* MapState(const std::string& path) {
  const int fd = raw::Open(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX) != 0 || raw::Truncate(fd, kStateSize) != 0) Die("open", path);
  void* page = ::mmap(nullptr, kStateSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) Die("map", path);
  auto* state = static_cast<SharedState*>(page);
  if (state->magic != kStateMagic) {
    *state = SharedState{};
    state->next_kept = 1;
    state->syncs_before_fault = UINT64_MAX;
    MakeLock(state->mutex);
    state->magic = kStateMagic;
  }
  ::flock(fd, LOCK_UN);  // Closing wouldn't: the mapping holds on to the open file, and so to its lock.
  raw::Close(fd);
  return state;
}

}  // namespace

void Die(std::string_view what, std::string_view path) {
  const int error = errno;
  std::fprintf(stderr, "faulty-disk: cannot %.*s %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(path.size()), path.data(), std::strerror(error));
  std::abort();
}

Journal::Journal(const std::string& folder) : path_(folder) {
  if (raw::MakeFolder(AT_FDCWD, path_.c_str(), 0700) != 0 && errno != EEXIST) Die("make the folder", path_);
  const std::string kept = path_ + "/kept";
  if (raw::MakeFolder(AT_FDCWD, kept.c_str(), 0700) != 0 && errno != EEXIST) Die("make the folder", kept);
  state_ = MapState(path_ + "/state");
  const std::string records = path_ + "/records";
  records_ = raw::Open(AT_FDCWD, records.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (records_ < 0) Die("open", records);
}

Journal::~Journal() {
  ::munmap(state_, kStateSize);
  raw::Close(records_);
}

Journal::Lock::Lock(Journal& journal) : journal_(journal) {
  if (pthread_mutex_lock(&journal_.state_->mutex) == EOWNERDEAD) {
    pthread_mutex_consistent(&journal_.state_->mutex);  // What it hadn't finished lies beyond journal_end.
  }
}

Journal::Lock::~Lock() { pthread_mutex_unlock(&journal_.state_->mutex); }

void Journal::Append(const Record& record) {
  const std::string bytes = Encode(record);
  WriteWhole(records_, bytes, state_->journal_end, path_);
  state_->journal_end += bytes.size();
}

std::vector<Record> Journal::ReadAll() const {
  const std::string bytes = ReadWhole(records_, state_->journal_end, path_);
  std::vector<Record> records;
  for (std::string_view rest = bytes; !rest.empty();) records.push_back(Decode(rest, path_));
  return records;
}

std::string Journal::KeptPath(uint64_t folder, uint64_t kept) const {
  return path_ + "/kept/" + std::to_string(folder) + "/" + std::to_string(kept);
}

uint64_t Journal::Keep(const std::string& path, uint64_t folder) {
  const uint64_t kept = state_->next_kept;
  const std::string aside = KeptPath(folder, kept);
  int linked = raw::Link(AT_FDCWD, path.c_str(), AT_FDCWD, aside.c_str(), 0);
  if (linked != 0 && errno == ENOENT) {
    const std::string parent = aside.substr(0, aside.rfind('/'));
    raw::MakeFolder(AT_FDCWD, parent.c_str(), 0700);
    linked = raw::Link(AT_FDCWD, path.c_str(), AT_FDCWD, aside.c_str(), 0);
  }
  if (linked != 0 && errno == ENOENT) return 0;
  if (linked != 0) Die("keep, in the journal (is it on the same file system?),", path);
  ++state_->next_kept;
  return kept;
}

void Journal::DropKept(uint64_t folder, uint64_t kept) { raw::Unlink(AT_FDCWD, KeptPath(folder, kept).c_str(), 0); }

void Journal::ForgetKept(uint64_t folder) {
  const std::string place = path_ + "/kept/" + std::to_string(folder);
  DIR* list = ::opendir(place.c_str());
  if (list == nullptr) return;
  while (const dirent* entry = ::readdir(list)) {
    if (entry->d_name[0] == '.') continue;
    struct stat info {};
    const bool last = ::fstatat(::dirfd(list), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_nlink == 1;
    if (last) Append({.kind = Kind::kForget, .inode = info.st_ino});  // Before its inode can come back.
    raw::Unlink(::dirfd(list), entry->d_name, 0);
  }
  ::closedir(list);
  raw::Unlink(AT_FDCWD, place.c_str(), AT_REMOVEDIR);
}

void Journal::Clear() {
  state_->journal_end = 0;
  if (raw::Truncate(records_, 0) != 0) Die("empty", path_);
  const std::string place = path_ + "/kept";
  std::vector<uint64_t> folders;
  DIR* list = ::opendir(place.c_str());
  if (list == nullptr) Die("list", place);
  while (const dirent* entry = ::readdir(list)) {
    if (entry->d_name[0] != '.') folders.push_back(std::strtoull(entry->d_name, nullptr, 10));
  }
  ::closedir(list);
  for (const uint64_t folder : folders) ForgetKept(folder);
  state_->journal_end = 0;
  if (raw::Truncate(records_, 0) != 0) Die("empty", path_);
}

void Journal::NoteFolders(const std::vector<std::string>& folders) {
  const std::vector<std::string> known = Folders();
  std::string more;
  for (const std::string& folder : folders) {
    if (std::ranges::find(known, folder) == known.end()) more += folder + "\n";
  }
  if (more.empty()) return;
  const std::string path = path_ + "/folders";
  const int fd = raw::Open(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || raw::Write(fd, more.data(), more.size()) != static_cast<ssize_t>(more.size())) Die("write", path);
  raw::Close(fd);
}

std::vector<std::string> Journal::Folders() const {
  const std::string path = path_ + "/folders";
  const int fd = raw::Open(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat info {};
  if (::fstat(fd, &info) != 0) Die("look at", path);
  const std::string text = ReadWhole(fd, static_cast<uint64_t>(info.st_size), path);
  raw::Close(fd);
  std::vector<std::string> folders;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    folders.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return folders;
}

}  // namespace aisle::faulty_disk
