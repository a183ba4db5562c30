// A machine's disk, held in memory: what the file calls below its folder do (file_calls.cc), with all that a real disk
// has in store. What was written and not synced may be lost, in part or in whole, when the power goes; so may names
// that were made, moved or removed since their folder was synced. POSIX promises no more, and this disk keeps to that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace aisle::simulation {

// A file or folder. Lives as long as it has a name or is open.
struct Node {
  struct Write {
    uint64_t offset = 0;
    std::string data;
    bool cut = false;  // The file was cut, or drawn out, to `offset`.
  };
  // One step of a folder's names. A move within a folder is one step of two names.
  struct NameChange {
    std::vector<std::pair<std::string, std::shared_ptr<Node>>> names;  // Null: the name is gone.
  };
  explicit Node(bool is_folder) : folder(is_folder) {}

  const bool folder;
  uint64_t changed = 0;  // When, in changes of its disk.
  // Of a file: what a reader sees, what is sure to be there after a power cut, and the way from the one to the other.
  std::string content;
  std::string synced;
  std::vector<Write> writes;
  // Of a folder, likewise.
  std::map<std::string, std::shared_ptr<Node>> names;
  std::map<std::string, std::shared_ptr<Node>> synced_names;
  std::vector<NameChange> name_changes;
};

// One thread. Paths are whole: "/simulated/store-001/ledger/head". Calls answer 0 or a size, or -errno.
class Disk {
 public:
  static constexpr std::string_view kRoot = "/simulated/";
  // The disk that a path is on; null if it is on none of ours, or only above them.
  static Disk* Find(std::string_view path);
  static bool IsSimulated(std::string_view path);

  // Its folder is "/simulated/NAME", empty. One disk of a name at a time.
  explicit Disk(std::string_view name);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  const std::string& folder() const { return folder_; }
  std::string File(std::string_view name) const { return folder_ + "/" + std::string(name); }

  // ---- What may happen to a disk.
  // Whoever writes from now on is dead already: every change is refused with EIO, and nothing of it happens.
  void Freeze() { frozen_ = true; }
  void Thaw() { frozen_ = false; }
  bool frozen() const { return frozen_; }
  // Of what wasn't synced, each write and each step of a folder's names is kept, lost or (a write) torn.
  void LosePower(RandomSource& random);
  // Writes that would take more than this in all answer ENOSPC. UINT64_MAX: there is always room.
  void SetCapacity(uint64_t bytes) { capacity_ = bytes; }
  // From now on every sync answers EIO. Of what it should have made durable, each write is or isn't, as `random` has
  // it; but the system counts all of it as written, shows it to readers as before, and no later sync makes up for it.
  // Steps of a folder's names stay unsynced.
  void FailSyncs(RandomSource& random) { failing_ = &random; }
  void MendSyncs() { failing_ = nullptr; }
  bool syncs_fail() const { return failing_ != nullptr; }
  // Runs before each change of the disk, syncs included; it may freeze the disk, and the change is then refused.
  void BeforeChange(std::function<void()> hook) { before_change_ = std::move(hook); }

  uint64_t changes() const { return changes_; }  // So far, refused ones included.
  uint64_t used() const;                         // Bytes.
  // What a reader sees now, and what is synced of it; empty if there is no such file.
  std::string Content(const std::string& path) const;
  std::string Synced(const std::string& path) const;

  // ---- File calls.
  struct Opened {
    int error = 0;  // -errno.
    std::shared_ptr<Node> node;
  };
  Opened Open(const std::string& path, int flags);
  int64_t Write(Node& node, uint64_t offset, std::string_view data);
  int Cut(Node& node, uint64_t size);
  int Sync(Node& node);
  void ReadAnew(Node& file);  // Memory gives up what it shows of the file, but for what is still to be written.
  int MakeFolder(const std::string& path);
  int Remove(const std::string& path, bool folder);
  int Move(const std::string& from, const std::string& to);
  std::shared_ptr<Node> FindNode(std::string_view path) const;

 private:
  struct Place {  // Of a name: its folder, which is there, and itself.
    std::shared_ptr<Node> folder;
    std::string name;
  };
  Place PlaceOf(std::string_view path) const;
  int Change();  // Counts a change; EIO if it is refused.
  void Name(Node& folder, const std::string& name, std::shared_ptr<Node> node);

  const std::string folder_;
  std::shared_ptr<Node> root_;
  bool frozen_ = false;
  RandomSource* failing_ = nullptr;
  uint64_t capacity_ = UINT64_MAX;
  uint64_t changes_ = 0;
  std::function<void()> before_change_;
};

}  // namespace aisle::simulation
