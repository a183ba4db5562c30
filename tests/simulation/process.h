// A program that runs on a machine: its executors, on the one timeline, and what kill -9 does to it.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "base/random.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/timeline.h"

namespace aisle::simulation {

// A machine's own clock: it may be wrong, run too fast or too slowly, and be set.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const Timeline& timeline) : timeline_(timeline), since_(timeline.Now()), local_(since_) {}
  absl::Time Now() const override {
    const absl::Duration passed = timeline_.Now() - since_;
    return local_ + (rate_ == 1 ? passed : passed * rate_);
  }
  // When the clock will show that time.
  absl::Time TrueTimeOf(absl::Time local) const;
  void Jump(absl::Duration by);
  void SetRate(double seconds_per_second);  // 1: right.
  // Called after each of the two above.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

 private:
  void Rebase();
  const Timeline& timeline_;
  absl::Time since_;  // True time at which the clock showed …
  absl::Time local_;  // … this.
  double rate_ = 1;
  std::function<void()> changed_ = [] {};
};

class Process;

// One of a process's threads: tasks in order of their due times by the machine's clock, one at a time. Where it may
// block, each task runs on a fiber, and the next one waits until that has ended.
class Lane final : public Executor {
 public:
  absl::Time Now() const override;
  void Post(Task task) override;
  TimerId PostAt(absl::Time due, Task task) override;
  void Cancel(TimerId timer) override;

  // Takes up the fiber that waits here, soon; nothing if none does or the process has died.
  void Wake();
  bool busy() const { return fiber_ != nullptr; }
  Timeline& timeline();

 private:
  friend class Process;
  Lane(Process& process, bool may_block) : process_(process), may_block_(may_block) {}
  void Arm();
  void RunOne();
  void ResumeFiber();
  void RunOut();

  Process& process_;
  const bool may_block_;
  struct Waiting {
    absl::Time due;
    TimerId id;
    Task task;
  };
  std::vector<Waiting> tasks_;  // The next one last. Among those of one time, the one that was set first. They are few.
  TimerId last_id_ = 0;
  Timeline::Id armed_ = 0;
  absl::Time armed_for_ = absl::InfiniteFuture();
  std::unique_ptr<Fiber> fiber_;
  Timeline::Id woken_ = 0;  // The fiber is about to be taken up.
};

class Process {
 public:
  // `haste` draws how soon a lane comes to a task that is due: what a scheduler does.
  Process(Timeline& timeline, MachineClock& clock, RandomSource& haste);
  ~Process();  // Dies, if it hasn't.
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Lane& AddLane(bool may_block);
  // From here on nothing of it reaches anybody, though it may not know yet: it is in the middle of a task.
  void Doom() { dead_ = true; }
  // Kill -9, as far as memory goes: nothing queued runs any more. Calls in the middle of a step are woken and find
  // dead() true; whatever they do until they return must reach nobody: freeze the disk first. Not from one of its
  // tasks.
  void Die();
  bool dead() const { return dead_; }
  void ClockChanged();

  Timeline& timeline() { return timeline_; }
  const MachineClock& clock() const { return clock_; }
  absl::Duration Haste();

 private:
  Timeline& timeline_;
  MachineClock& clock_;
  RandomSource& haste_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  bool dead_ = false;
};

// Runs `body` on a fiber's behalf until `ready` says so: suspends in between; Wake it when something may have changed.
// Outside of a fiber, or in a dead process, returns at once.
void WaitUntil(const Process& process, const std::function<bool()>& ready);

}  // namespace aisle::simulation
