// The undo journal of one faulty disk, shared by every process on it: records in a file, removed files kept aside, and
// a page of shared memory with the lock, the disk's space and its faults. All of it outlives `kill -9` of its users.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aisle::faulty_disk {

enum class Kind : uint32_t {
  kWrite = 1,       // Of [offset, offset + length) of a file.
  kResize,          // Of a file, to `length`.
  kSyncFile,        // What was done to the file's bytes so far is durable, but for what a failed sync gave up.
  kSyncFileFailed,  // What wasn't durable yet never will be.
  kForget,          // The file is gone for good; its inode may come back as another file.
  kCreate,          // A name for a file or a symbolic link; also a second one.
  kMakeFolder,
  kRemove,
  kRemoveFolder,
  kRename,
  kSyncFolder,  // What was done to the folder's names so far is durable.
  kSyncAll,
};

// One change and how to undo it. Files and folders go by inode, names also by absolute path.
struct Record {
  Kind kind = Kind::kWrite;
  uint64_t inode = 0;        // Of the file; of the folder synced.
  uint64_t folder = 0;       // That holds `path`.
  uint64_t folder_from = 0;  // kRename: that held `from`.
  uint64_t offset = 0;
  uint64_t length = 0;       // Bytes written, or the new size; kRemoveFolder: its mode.
  uint64_t size_before = 0;  // Of the file.
  uint64_t kept = 0;         // kRemove, kRename: the number under which the file that lost its name lives on; 0: none.
  bool is_folder = false;    // kRename: what is renamed.
  std::string path;
  std::string from;
  std::string old_bytes;  // What stood from `offset` on, as far as the file went then; kResize: beyond the new size.
};

// The shared page. Guarded by its lock.
struct SharedState {
  uint64_t magic;
  pthread_mutex_t mutex;  // Robust: who dies with it leaves a disk that others can go on with.
  uint64_t journal_end;   // Bytes; a record that its writer didn't live to finish lies beyond and is written over.
  uint64_t next_kept;
  uint32_t frozen;
  uint32_t bounded;             // Whether space_left counts.
  uint64_t space_left;          // Bytes by which files may still grow.
  uint64_t syncs_before_fault;  // So many work, then
  uint64_t syncs_at_fault;      // so many fail.
};

// Dies with a message where its own folder can't be used. Uses system calls directly, so that it never watches itself.
class Journal {
 public:
  explicit Journal(const std::string& folder);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Holds the disk's lock, over threads and processes.
  class Lock {
   public:
    explicit Lock(Journal& journal);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    Journal& journal_;
  };

  // All below: with the lock held.
  SharedState& state() { return *state_; }
  void Append(const Record& record);
  std::vector<Record> ReadAll() const;
  // Gives the file at `path` another name in here before it loses that one. 0 if there is none.
  uint64_t Keep(const std::string& path, uint64_t folder);
  void DropKept(uint64_t folder, uint64_t kept);
  // The folder was synced: what lost its name there is gone.
  void ForgetKept(uint64_t folder);
  std::string KeptPath(uint64_t folder, uint64_t kept) const;
  // Forgets every record and kept file: what is on the disk now is all durable.
  void Clear();

  const std::string& path() const { return path_; }
  // The watched folders, as their users named them.
  void NoteFolders(const std::vector<std::string>& folders);
  std::vector<std::string> Folders() const;

 private:
  std::string path_;
  int records_ = -1;
  SharedState* state_ = nullptr;
};

// Prints what failed with errno's reason and ends the process: tests can't go on from a disk that forgot to forget.
[[noreturn]] void Die(std::string_view what, std::string_view path);

}  // namespace aisle::faulty_disk
