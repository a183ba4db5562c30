#include "tests/faulty-disk/lost_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tests/faulty-disk/raw_calls.h"

namespace aisle::faulty_disk {
namespace {

bool ChangesNames(Kind kind) {
  return kind == Kind::kCreate || kind == Kind::kMakeFolder || kind == Kind::kRemove || kind == Kind::kRemoveFolder ||
         kind == Kind::kRename;
}

bool Touches(const Record& record, uint64_t folder) {
  return record.folder == folder || (record.kind == Kind::kRename && record.folder_from == folder);
}

// All that was done to the folder before position `end` is on the disk. A rename between folders takes the other
// folder's earlier changes along: both lie in one transaction. A folder that is gone took its names with it.
void SyncFolder(std::vector<NameChange>& changes, size_t end, uint64_t folder) {
  for (size_t i = end; i-- > 0;) {
    NameChange& change = changes[i];
    if (change.durable || !Touches(*change.record, folder)) continue;
    change.durable = true;
    const Record& record = *change.record;
    if (record.kind == Kind::kRemoveFolder) SyncFolder(changes, i, record.inode);
    if (record.kind != Kind::kRename || record.folder == record.folder_from) continue;
    SyncFolder(changes, i, record.folder == folder ? record.folder_from : record.folder);
  }
}

// From position `first` on, all that was done to the folder is lost; and with a rename between folders what came later
// in the other one.
void LoseFrom(std::vector<NameChange>& changes, size_t first, uint64_t folder) {
  for (size_t i = first; i < changes.size(); ++i) {
    NameChange& change = changes[i];
    if (change.durable || change.lost || !Touches(*change.record, folder)) continue;
    change.lost = true;
    const Record& record = *change.record;
    if (record.kind != Kind::kRename || record.folder == record.folder_from) continue;
    LoseFrom(changes, i + 1, record.folder == folder ? record.folder_from : record.folder);
  }
}

// Positions of the undurable changes of each folder, the folder that changed first before the others.
std::vector<std::pair<uint64_t, std::vector<size_t>>> UnsyncedByFolder(const std::vector<NameChange>& changes) {
  std::map<uint64_t, std::vector<size_t>> folders;
  for (size_t i = 0; i < changes.size(); ++i) {
    const Record& record = *changes[i].record;
    if (changes[i].durable) continue;
    folders[record.folder].push_back(i);
    if (record.kind == Kind::kRename && record.folder_from != record.folder) folders[record.folder_from].push_back(i);
  }
  std::vector<std::pair<uint64_t, std::vector<size_t>>> sorted(folders.begin(), folders.end());
  std::ranges::sort(sorted, {}, [](const auto& folder) { return std::pair(folder.second.front(), folder.second); });
  return sorted;
}

// Where `path`, noted before position `from`, lies now: folders renamed since, and not taken back, have moved it.
std::string PathNow(std::string path, const std::vector<NameChange>& changes, size_t from) {
  for (size_t i = from; i < changes.size(); ++i) {
    const Record& record = *changes[i].record;
    if (changes[i].lost || !record.is_folder || !path.starts_with(record.from)) continue;
    const std::string_view rest = std::string_view(path).substr(record.from.size());
    if (rest.empty() || rest.front() == '/') path = record.path + std::string(rest);
  }
  return path;
}

bool IsFile(const std::string& path, uint64_t inode) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_ino == inode;
}

void Move(const std::string& from, const std::string& to) {
  if (raw::Rename(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0) != 0 && errno != ENOENT) Die("bring back", to);
}

void Undo(const Record& record, const Journal& journal, const std::function<std::string(const std::string&)>& now) {
  const std::string path = now(record.path);
  std::error_code gone;
  switch (record.kind) {
    case Kind::kCreate:
      if (IsFile(path, record.inode)) raw::Unlink(AT_FDCWD, path.c_str(), 0);
      return;
    case Kind::kMakeFolder:
      std::filesystem::remove_all(path, gone);
      return;
    case Kind::kRemove:
      if (record.kept != 0) Move(journal.KeptPath(record.folder, record.kept), path);
      return;
    case Kind::kRemoveFolder:
      raw::MakeFolder(AT_FDCWD, path.c_str(), static_cast<mode_t>(record.length));
      return;
    case Kind::kRename:
      if (IsFile(path, record.inode)) Move(path, now(record.from));
      if (record.kept != 0) Move(journal.KeptPath(record.folder, record.kept), path);
      return;
    default:
      return;
  }
}

}  // namespace

std::vector<NameChange> ChangesOfNames(const std::vector<Record>& records) {
  std::vector<NameChange> changes;
  for (const Record& record : records) {
    if (ChangesNames(record.kind)) changes.push_back({.record = &record});
    if (record.kind == Kind::kSyncFolder) SyncFolder(changes, changes.size(), record.inode);
    if (record.kind == Kind::kSyncAll) {
      for (NameChange& change : changes) change.durable = true;
    }
  }
  return changes;
}

void DrawLosses(std::vector<NameChange>& changes, Mood mood, SeededLuck& luck) {
  if (mood == Mood::kKeepAll) return;
  for (const auto& [folder, positions] : UnsyncedByFolder(changes)) {
    const uint64_t kept = mood == Mood::kLoseAll ? 0 : luck.Below(positions.size() + 1);
    if (kept < positions.size()) LoseFrom(changes, positions[kept], folder);
  }
}

void LoseNames(const std::vector<NameChange>& changes, const Journal& journal, CutReport& report) {
  for (size_t i = changes.size(); i-- > 0;) {
    if (changes[i].durable) continue;
    ++(changes[i].lost ? report.names_lost : report.names_kept);
    if (!changes[i].lost) continue;
    Undo(*changes[i].record, journal, [&](const std::string& path) { return PathNow(path, changes, i + 1); });
  }
}

}  // namespace aisle::faulty_disk
