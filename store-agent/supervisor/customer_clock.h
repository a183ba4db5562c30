// How long a worker may be busy with the customers it named last.
#pragma once

#include <absl/time/time.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>

namespace aisle {

// CPU time that a process has used; zero if it is gone.
absl::Duration CpuTimeOf(pid_t pid);

// Counts CPU time, for that is the customer's doing; what else runs on the box isn't. Not thread-safe.
class CustomerClock {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // `each` is for one customer; work on several at once may take up to eight times as long.
  CustomerClock(pid_t pid, absl::Duration each) : pid_(pid), each_(each) {}

  void Begin(size_t customers);  // None: nobody's time is counted.
  Instant look_at() const { return look_at_; }
  // At look_at(): whether the time is over. If not, sets another instant.
  bool IsOver();
  // At look_at() too, if something that the worker said hasn't been heard: it may have gone on to the next customer.
  void Postpone();

 private:
  pid_t pid_;
  absl::Duration each_;
  absl::Duration until_;  // Of the process's CPU time.
  Instant look_at_ = Instant::max();
};

}  // namespace aisle
