#include "tests/simulation/timeline.h"

#include <algorithm>

namespace aisle::simulation {

Timeline::Id Timeline::At(absl::Time when, Task task) {
  const Id id = ++last_id_;
  const absl::Time due = std::max(when, now_);
  tasks_.emplace(Key{due, id}, std::move(task));
  times_.emplace(id, due);
  return id;
}

void Timeline::Cancel(Id id) {
  const auto found = times_.find(id);
  if (found == times_.end()) return;
  tasks_.erase(Key{found->second, id});
  times_.erase(found);
}

bool Timeline::RunNext(absl::Time until) {
  if (tasks_.empty() || tasks_.begin()->first.first > until) {
    now_ = std::max(now_, until);
    return false;
  }
  auto next = tasks_.extract(tasks_.begin());
  times_.erase(next.key().second);
  now_ = next.key().first;
  ++events_;
  next.mapped()();
  return true;
}

}  // namespace aisle::simulation
