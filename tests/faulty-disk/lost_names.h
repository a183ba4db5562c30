// The names in folders after a power cut: which unsynced creations, renames and removals were on the disk.
#pragma once

#include <vector>

#include "tests/faulty-disk/faulty_disk.h"
#include "tests/faulty-disk/journal.h"
#include "tests/faulty-disk/seeded_luck.h"

namespace aisle::faulty_disk {

// Changes to names in the order in which they were made; `durable` where a sync of the folder has kept them.
struct NameChange {
  const Record* record = nullptr;
  bool durable = false;
  bool lost = false;  // By the cut.
};

std::vector<NameChange> ChangesOfNames(const std::vector<Record>& records);
// Decides which of them the cut loses: in each folder the last ones.
void DrawLosses(std::vector<NameChange>& changes, Mood mood, SeededLuck& luck);
// Takes the lost ones back on the disk, the last one first.
void LoseNames(const std::vector<NameChange>& changes, const Journal& journal, CutReport& report);

}  // namespace aisle::faulty_disk
