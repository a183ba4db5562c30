#include "tests/faulty-disk/lost_writes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

enum class Fate { kKept, kLost, kTorn, kZeros };

// A change taken back, and what it had made of the file.
struct Undone {
  const FileChange* change;
  std::string bytes;  // That it had written, as far as the file went.
  uint64_t size = 0;  // Of the file after it.
};

void SyncChanges(std::vector<FileChange>& changes) {
  for (FileChange& change : changes) change.durable = !change.given_up;
}

void GiveUp(std::vector<FileChange>& changes) {
  for (FileChange& change : changes) change.given_up = !change.durable;
}

std::string ReadFile(const std::string& path) {
  const int fd = raw::Open(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0) Die("open", path);
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got = raw::Read(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) Die("read", path);
    done += static_cast<size_t>(got);
  }
  raw::Close(fd);
  return bytes;
}

void WriteFile(const std::string& path, std::string_view bytes) {
  const int fd = raw::Open(AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || raw::Truncate(fd, static_cast<off_t>(bytes.size())) != 0) Die("take back writes of", path);
  for (uint64_t at = 0; at < bytes.size();) {
    const ssize_t put = raw::WriteAt(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (put <= 0) Die("take back writes of", path);
    at += static_cast<uint64_t>(put);
  }
  raw::Close(fd);
}

void PutBytes(std::string& file, uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());  // With zeros.
  file.replace(offset, bytes.size(), bytes);
}

Undone Undo(const FileChange& change, std::string& file) {
  const Record& record = *change.record;
  Undone undone{.change = &change, .bytes = {}, .size = file.size()};
  if (record.kind == Kind::kWrite && record.offset < file.size()) {
    undone.bytes = file.substr(record.offset, record.length);
  }
  file.resize(record.size_before);
  PutBytes(file, record.offset, record.old_bytes);
  return undone;
}

Fate DrawFate(const FileChange& change, Mood mood, SeededLuck& luck) {
  if (change.durable || mood == Mood::kKeepAll) return Fate::kKept;
  if (mood == Mood::kLoseAll) return Fate::kLost;
  const uint64_t drawn = luck.Below(10);
  if (drawn < 4) return Fate::kKept;
  if (drawn < 7 || change.record->kind == Kind::kResize) return Fate::kLost;
  return drawn < 9 ? Fate::kTorn : Fate::kZeros;
}

void Redo(const Undone& undone, Fate fate, SeededLuck& luck, std::string& file) {
  const Record& record = *undone.change->record;
  if (fate == Fate::kLost) return;
  if (record.kind == Kind::kResize) return file.resize(undone.size);
  std::string_view bytes = undone.bytes;
  if (fate == Fate::kTorn) bytes = bytes.substr(0, luck.Below(bytes.size()));
  if (fate != Fate::kZeros) return PutBytes(file, record.offset, bytes);
  file.resize(std::max<uint64_t>(file.size(), record.offset + bytes.size()));
}

void Count(const FileChange& change, Fate fate, CutReport& report) {
  if (change.durable) return;
  if (fate == Fate::kKept) ++report.writes_kept;
  if (fate == Fate::kLost) ++report.writes_lost;
  if (fate == Fate::kTorn || fate == Fate::kZeros) ++report.writes_torn;
}

}  // namespace

std::vector<FileChanges> ChangesOfFiles(const std::vector<Record>& records) {
  std::map<uint64_t, std::vector<FileChange>> files;
  for (const Record& record : records) {
    switch (record.kind) {
      case Kind::kWrite:
      case Kind::kResize:
        files[record.inode].push_back({.record = &record});
        break;
      case Kind::kSyncFile:
        SyncChanges(files[record.inode]);
        break;
      case Kind::kSyncFileFailed:
        GiveUp(files[record.inode]);
        break;
      case Kind::kForget:
        files.erase(record.inode);
        break;
      case Kind::kSyncAll:
        for (auto& [inode, changes] : files) SyncChanges(changes);
        break;
      default:
        break;
    }
  }
  std::vector<FileChanges> sorted;
  for (auto& [inode, changes] : files) {
    if (!changes.empty()) sorted.push_back({.inode = inode, .changes = std::move(changes)});
  }
  std::ranges::sort(sorted, {}, [](const FileChanges& file) { return file.changes.front().record; });
  return sorted;
}

void LoseWrites(const std::string& path, const std::vector<FileChange>& changes, Mood mood, SeededLuck& luck,
                CutReport& report) {
  const auto first = std::ranges::find(changes, false, &FileChange::durable);
  if (first == changes.end()) return;
  std::string file = ReadFile(path);
  const std::string before = file;
  std::vector<Undone> undone;
  for (auto change = changes.end(); change != first;) undone.push_back(Undo(*--change, file));
  std::ranges::reverse(undone);
  for (const Undone& change : undone) {
    const Fate fate = DrawFate(*change.change, mood, luck);
    Count(*change.change, fate, report);
    Redo(change, fate, luck, file);
  }
  if (file != before) WriteFile(path, file);
}

}  // namespace aisle::faulty_disk
