#include "tests/faulty-disk/power_cut.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>

#include "tests/faulty-disk/lost_names.h"
#include "tests/faulty-disk/lost_writes.h"
#include "tests/faulty-disk/watched_disks.h"

namespace aisle {
namespace faulty_disk {
namespace {

// Every file below the folder, by inode.
void FindFiles(const std::string& folder, std::map<uint64_t, std::string>& paths) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) paths[info.st_ino] = entry.path();
  }
}

std::map<uint64_t, std::string> FilesOf(const Journal& journal) {
  std::map<uint64_t, std::string> paths;
  FindFiles(journal.path() + "/kept", paths);
  for (const std::string& folder : journal.Folders()) FindFiles(folder, paths);
  return paths;
}

}  // namespace

CutReport PlayPowerCut(Journal& journal, uint64_t seed) {
  const Bypass bypass;
  SeededLuck luck(seed);
  const std::vector<Record> records = journal.ReadAll();
  const std::map<uint64_t, std::string> paths = FilesOf(journal);
  CutReport report;
  const Mood mood = DrawMood(luck);
  for (const FileChanges& file : ChangesOfFiles(records)) {
    const auto found = paths.find(file.inode);
    if (found != paths.end()) LoseWrites(found->second, file.changes, mood, luck, report);
  }
  std::vector<NameChange> names = ChangesOfNames(records);
  DrawLosses(names, mood, luck);
  LoseNames(names, journal, report);
  journal.Clear();
  return report;
}

CutReport AtStake(const Journal& journal) {
  const std::vector<Record> records = journal.ReadAll();
  CutReport report;
  for (const FileChanges& file : ChangesOfFiles(records)) {
    for (const FileChange& change : file.changes) ++(change.durable ? report.writes_kept : report.writes_lost);
  }
  for (const NameChange& change : ChangesOfNames(records)) ++(change.durable ? report.names_kept : report.names_lost);
  return report;
}

}  // namespace faulty_disk

struct FaultyDisk::Impl {
  faulty_disk::DiskHandle disk;
  faulty_disk::SharedState& state() { return disk->journal.state(); }
};

FaultyDisk::FaultyDisk(const std::vector<std::string>& folders, const std::string& journal)
    : impl_(std::make_unique<Impl>()) {
  for (const std::string& folder : folders) std::filesystem::create_directories(folder);
  std::filesystem::create_directories(std::filesystem::path(journal).parent_path());
  impl_->disk = std::make_shared<faulty_disk::WatchedDisk>(folders, journal);
  faulty_disk::Watch(impl_->disk);
}

FaultyDisk::~FaultyDisk() { faulty_disk::Unwatch(impl_->disk); }

void FaultyDisk::Freeze() {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().frozen = 1;
}

void FaultyDisk::Thaw() {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().frozen = 0;
}

void FaultyDisk::FillAfter(uint64_t bytes) {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().bounded = 1;
  impl_->state().space_left = bytes;
}

void FaultyDisk::Empty() {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().bounded = 0;
}

void FaultyDisk::FailSyncs(uint64_t after, uint64_t count) {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().syncs_before_fault = after;
  impl_->state().syncs_at_fault = count;
}

CutReport FaultyDisk::CutPower(uint64_t seed) {
  const faulty_disk::Journal::Lock lock(impl_->disk->journal);
  impl_->state().frozen = 0;
  return faulty_disk::PlayPowerCut(impl_->disk->journal, seed);
}

CutReport CutPower(const std::string& journal, uint64_t seed) {
  faulty_disk::Journal opened(journal);
  const faulty_disk::Journal::Lock lock(opened);
  return faulty_disk::PlayPowerCut(opened, seed);
}

std::string Describe(const CutReport& report) {
  return "the power cut lost " + std::to_string(report.writes_lost) + " writes and " +
         std::to_string(report.names_lost) + " names, tore " + std::to_string(report.writes_torn) +
         " writes, and left " + std::to_string(report.writes_kept) + " writes and " +
         std::to_string(report.names_kept) + " names that nobody had synced";
}

}  // namespace aisle
