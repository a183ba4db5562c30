// Plays a power cut from the journal over what is on the disk now.
#pragma once

#include "tests/faulty-disk/faulty_disk.h"
#include "tests/faulty-disk/journal.h"

namespace aisle::faulty_disk {

// With the journal's lock held and nothing of the disk open.
CutReport PlayPowerCut(Journal& journal, uint64_t seed);
// What a cut that takes everything would lose now; nothing is changed. `writes_kept` and `names_kept` count the
// durable.
CutReport AtStake(const Journal& journal);

}  // namespace aisle::faulty_disk
