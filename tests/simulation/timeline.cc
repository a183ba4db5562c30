#include "tests/simulation/timeline.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aisle::simulation {

Timeline::Id Timeline::At(absl::Time when, Task task) {
  if (free_.empty()) {
    AISLE_CHECK(slots_.size() < size_t{1} << kSlotBits, "{} tasks are set, more than any world needs", slots_.size());
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const Id id = (++last_number_ << kSlotBits) | free_.back();
  free_.pop_back();
  SlotOf(id) = {.id = id, .task = std::move(task)};
  due_.push_back({.when = std::max(when, now_), .id = id});
  std::ranges::push_heap(due_, std::greater());
  return id;
}

Timeline::Task Timeline::Free(Id id) {
  Slot& slot = SlotOf(id);
  slot.id = 0;
  free_.push_back(static_cast<uint32_t>(&slot - slots_.data()));
  return std::exchange(slot.task, nullptr);
}

void Timeline::Cancel(Id id) {
  if (id == 0 || SlotOf(id).id != id) return;
  const Task dropped = Free(id);  // What it holds may set another one as it goes.
}

bool Timeline::RunNext(absl::Time until) {
  while (!due_.empty() && SlotOf(due_.front().id).id != due_.front().id) {
    std::ranges::pop_heap(due_, std::greater());
    due_.pop_back();
  }
  if (due_.empty() || due_.front().when > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::ranges::pop_heap(due_, std::greater());
  const Due next = due_.back();
  due_.pop_back();
  now_ = next.when;
  ++events_;
  Free(next.id)();
  return true;
}

}  // namespace aisle::simulation
