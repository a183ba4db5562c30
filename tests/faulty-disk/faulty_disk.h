// A disk that forgets what was never synced, fills up, fails to sync and freezes: the file calls of a whole process
// (RocksDB's too), interposed for all that lies below given folders.
//
// Before each change the journal takes down how to undo it. The journal is a folder of its own, outside the watched
// ones and on the same file system (removed files live on in it as hard links), and survives `kill -9` as files do.
// Playing a power cut then takes back, wholly or in part and drawn from a seed, what no sync had made durable:
//
// - Bytes of a file are durable once this file was synced (fsync, fdatasync, O_SYNC, O_DSYNC, syncfs). A write
// that
//   wasn't may be lost, torn at any byte, or leave zeros where the file has grown; in any order.
// - Names in a folder (creation, link, rename, removal, a folder made or removed) are durable once this folder was
// synced:
//   syncing a new file doesn't keep its name. The others are lost from some point on, in each folder by itself. A
//   rename between folders is one change to both, and either's sync makes it durable. A new folder whose parent wasn't
//   synced goes with all it holds. This is what POSIX promises; real file systems are kinder.
// - Writes that a failed sync should have made durable may be lost for ever, whatever later syncs say.
//
// Two shapes from one source:
//
// 1. Linked into a test program: `target_link_libraries(my_test PRIVATE faulty_disk_linked)`; then use the class below.
// 2. Preloaded into real programs (they need not know), with everything that shares the journal sharing one disk:
//
//      export FAULTY_DISK_FOLDERS=/var/lib/store1:/etc/store1 FAULTY_DISK_JOURNAL=/var/lib/store1.journal
//      LD_PRELOAD=build/dev/lib/libfaulty_disk.so aisle-agent …
//
//    and, from outside, the program build/dev/bin/faulty-disk:
//
//      faulty-disk cut JOURNAL --seed S             play the power cut; every program on the disk must be dead
//      faulty-disk fill JOURNAL --after BYTES       ENOSPC once files have grown by so many bytes; also while they run
//      faulty-disk empty JOURNAL                    as much space again as there is
//      faulty-disk fail-syncs JOURNAL --after N [--count M]   N syncs work, then M (or all) give EIO
//      faulty-disk freeze JOURNAL | thaw JOURNAL    every change gives EIO | works again
//      faulty-disk show JOURNAL                     what a cut could lose now
//
//    `cut` prints one line of what was lost, empties the journal, and leaves space and failures as they were set.
//    Without a cut the journal goes on where it was: restart the programs and what wasn't synced still can be lost.
//
// Syncs are noted, not handed to the kernel: nothing here guards against a real power cut, and tests run faster.
// Not covered: writes through a shared mapping, stdio (fopen writes inside libc), modes and times of files; io_uring.
// Symbolic links inside the watched folders are names like others; paths are compared after resolving those above them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aisle {

// What one power cut did, in numbers of changes.
struct CutReport {
  uint64_t writes_kept = 0;  // Unsynced ones that were on the disk all the same.
  uint64_t writes_torn = 0;  // In part, or as zeros.
  uint64_t writes_lost = 0;
  uint64_t names_kept = 0;  // Likewise, of changes to folders.
  uint64_t names_lost = 0;
};
std::string Describe(const CutReport& report);  // One line, for people.

// Plays the cut over a journal whose programs are gone; the seed alone decides. Dies with a message if the journal
// isn't one or the disk can't be written: a test can't go on from there.
CutReport CutPower(const std::string& journal, uint64_t seed);

// In a program linked with faulty_disk_linked: what lies below `folders` is this disk from now on, for every thread.
// Several may live side by side; their folders don't overlap. Thread-safe.
class FaultyDisk {
 public:
  // Both must exist or be makeable; `journal` lies outside `folders`. An old journal there goes on.
  FaultyDisk(const std::vector<std::string>& folders, const std::string& journal);
  ~FaultyDisk();  // The folders are plain folders again; whatever the journal could have undone stays done.
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // Every change from now on gives EIO, as for a process that is dead and hasn't noticed; reading goes on.
  void Freeze();
  void Thaw();
  // ENOSPC once files have grown by so many bytes more; what is removed or cut off counts back. 0: full at once.
  void FillAfter(uint64_t bytes);
  void Empty();  // No bound any longer.
  // `after` syncs work, then `count` of them give EIO; then they work again.
  void FailSyncs(uint64_t after, uint64_t count = UINT64_MAX);
  // Nothing may have a file of the disk open. Thaws.
  CutReport CutPower(uint64_t seed);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisle
