// One thread at a time: the executor owns the state, everyone else posts to it and returns.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace aisle {

// Runs tasks one after another, in the order in which they fall due; tasks posted for "now" keep their order.
class Executor : public Clock {
 public:
  using Task = std::function<void()>;
  using TimerId = uint64_t;

  // Thread-safe. A task posted after shutdown is dropped.
  virtual void Post(Task task) = 0;
  virtual TimerId PostAt(absl::Time due, Task task) = 0;
  // The task won't run unless it has begun. Unknown and past ids are ignored.
  virtual void Cancel(TimerId timer) = 0;
};

// The real thing: one named thread. `Shutdown` finishes the task in hand, drops the rest and joins; the destructor
// calls it.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(const char* thread_name);
  ~ThreadExecutor() override;

  absl::Time Now() const override { return absl::Now(); }
  void Post(Task task) override;
  TimerId PostAt(absl::Time due, Task task) override;
  void Cancel(TimerId timer) override;
  // Blocks until every task that is due now has run. Not from the executor's own thread.
  void Drain();
  void Shutdown();
  bool IsThisThread() const;

 private:
  struct State;
  void Run();
  std::unique_ptr<State> state_;
};

// Virtual time for tests: nothing runs until told to, and time passes only by AdvanceTo. Single-threaded.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(absl::Time start = absl::FromUnixSeconds(1'800'000'000));
  ~ManualExecutor() override;

  absl::Time Now() const override;
  void Post(Task task) override;
  TimerId PostAt(absl::Time due, Task task) override;
  void Cancel(TimerId timer) override;

  void RunDue();                    // Everything due at the present time, including what that posts.
  void AdvanceTo(absl::Time time);  // Runs all that falls due on the way, each at its own time.
  void Advance(absl::Duration by) { AdvanceTo(Now() + by); }
  void DropAll();  // The process that posted them is gone: a crash, played.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisle
