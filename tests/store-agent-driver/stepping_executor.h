// Virtual time, one task at a time: so that a test can let the process die between any two of them.
#pragma once

#include <map>
#include <utility>

#include "base/executor.h"

namespace aisle {

class SteppingExecutor final : public Executor {
 public:
  absl::Time Now() const override { return now_; }
  void Post(Task task) override { PostAt(now_, std::move(task)); }
  TimerId PostAt(absl::Time due, Task task) override {
    tasks_.emplace(std::pair(std::max(due, now_), ++last_), std::move(task));
    return last_;
  }
  void Cancel(TimerId timer) override {
    for (auto task = tasks_.begin(); task != tasks_.end(); ++task) {
      if (task->first.second == timer) {
        tasks_.erase(task);
        return;
      }
    }
  }

  // The next task, at its time; false if none falls due by `until`.
  bool RunOne(absl::Time until = absl::InfiniteFuture()) {
    if (tasks_.empty() || tasks_.begin()->first.first > until) return false;
    auto task = tasks_.extract(tasks_.begin());
    now_ = std::max(now_, task.key().first);
    task.mapped()();
    return true;
  }
  void RunDue() {
    while (RunOne(now_)) continue;
  }
  void Advance(absl::Duration by) {
    const absl::Time until = now_ + by;
    while (RunOne(until)) continue;
    now_ = until;
  }
  void Die() { tasks_.clear(); }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  uint64_t last_ = 0;
  std::map<std::pair<absl::Time, TimerId>, Task> tasks_;
};

}  // namespace aisle
