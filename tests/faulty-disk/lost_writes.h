// The bytes of files after a power cut: which unsynced writes were on the disk.
#pragma once

#include <string>
#include <vector>

#include "tests/faulty-disk/faulty_disk.h"
#include "tests/faulty-disk/journal.h"
#include "tests/faulty-disk/seeded_luck.h"

namespace aisle::faulty_disk {

// A change to a file's bytes, and whether a sync has kept it. Borrows the record.
struct FileChange {
  const Record* record = nullptr;
  bool durable = false;
  bool given_up = false;  // By a failed sync: no later one keeps it.
};
struct FileChanges {
  uint64_t inode = 0;
  std::vector<FileChange> changes;  // At least one, in the order in which they were made.
};

// In the order in which the files first changed: inodes are no part of what a seed decides.
std::vector<FileChanges> ChangesOfFiles(const std::vector<Record>& records);

// Rewrites the file at `path`, where these changes led, to what a power cut could have left of them.
void LoseWrites(const std::string& path, const std::vector<FileChange>& changes, Mood mood, SeededLuck& luck,
                CutReport& report);

}  // namespace aisle::faulty_disk
