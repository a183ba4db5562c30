// Virtual time, and everything that is still to happen in it. One thread runs it all.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

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
  using Key = std::pair<absl::Time, Id>;
  std::map<Key, Task> tasks_;
  std::map<Id, absl::Time> times_;
  absl::Time now_;
  Id last_id_ = 0;
  uint64_t events_ = 0;
};

}  // namespace aisle::simulation
