// Virtual time, and everything that is still to happen in it. One thread runs it all.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace aisle::simulation {

class Timeline {
 public:
  using Task = std::function<void()>;
  using Id = uint64_t;

  explicit Timeline(absl::Time start) : now_(start) {}

  absl::Time Now() const { return now_; }
  // At that time, or now if it is past; among tasks of one time in the order in which they were set. Never within the
  // call.
  Id At(absl::Time when, Task task);
  Id After(absl::Duration wait, Task task) { return At(now_ + wait, std::move(task)); }
  void Cancel(Id id);  // Unknown and past ids are ignored.

  // Runs the next task that falls due by `until`. False if there is none: it is `until` then.
  bool RunNext(absl::Time until);
  uint64_t events() const { return events_; }  // Tasks run so far.

 private:
  // A task waits in a slot, which others use after it. Its id holds the slot, below the number by which tasks of one
  // time are in order: a slot that has another id now has nothing to do with it any more.
  static constexpr unsigned kSlotBits = 20;
  struct Slot {
    Id id = 0;
    Task task;
  };
  struct Due {
    absl::Time when;
    Id id;
    bool operator>(const Due& other) const { return when != other.when ? when > other.when : id > other.id; }
  };
  Slot& SlotOf(Id id) { return slots_[id & ((Id{1} << kSlotBits) - 1)]; }
  Task Free(Id id);

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<Due> due_;  // A heap, the first on top; those that were cancelled stay until they come up.
  absl::Time now_;
  uint64_t last_number_ = 0;
  uint64_t events_ = 0;
};

}  // namespace aisle::simulation
