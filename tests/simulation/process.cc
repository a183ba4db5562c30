#include "tests/simulation/process.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aisle::simulation {
namespace {

constexpr uint64_t kHasteMax = 50;  // Microseconds until a lane comes to a task.

}  // namespace

absl::Time MachineClock::TrueTimeOf(absl::Time local) const {
  if (local == absl::InfinitePast() || local == absl::InfiniteFuture()) return local;
  const absl::Duration passed = local - local_;
  return since_ + (rate_ == 1 ? passed : passed / rate_) +
         absl::Nanoseconds(1);  // Never so early that it doesn't show it yet.
}

void MachineClock::Jump(absl::Duration by) {
  Rebase();
  local_ += by;
  changed_();
}

void MachineClock::SetRate(double seconds_per_second) {
  Rebase();
  rate_ = seconds_per_second;
  changed_();
}

void MachineClock::Rebase() {
  local_ = Now();
  since_ = timeline_.Now();
}

absl::Time Lane::Now() const { return process_.clock().Now(); }

Timeline& Lane::timeline() { return process_.timeline(); }

void Lane::Post(Task task) { PostAt(absl::InfinitePast(), std::move(task)); }

Executor::TimerId Lane::PostAt(absl::Time due, Task task) {
  if (process_.dead()) return 0;
  const TimerId id = ++last_id_;
  const auto place = std::ranges::find_if(tasks_, [&](const Waiting& other) { return other.due <= due; });
  tasks_.insert(place, {.due = due, .id = id, .task = std::move(task)});
  Arm();
  return id;
}

void Lane::Cancel(TimerId timer) {
  const auto found = std::ranges::find(tasks_, timer, &Waiting::id);
  if (found == tasks_.end()) return;
  const Task dropped = std::move(found->task);  // What it holds may post as it goes.
  tasks_.erase(found);
}

// At most one entry on the timeline: for the first task.
void Lane::Arm() {
  if (tasks_.empty() || busy() || process_.dead()) return;
  Timeline& timeline = process_.timeline();
  const absl::Time when = std::max(timeline.Now(), process_.clock().TrueTimeOf(tasks_.back().due));
  if (armed_ != 0 && armed_for_ <= when) return;
  timeline.Cancel(armed_);
  armed_for_ = when;
  armed_ = timeline.At(when + process_.Haste(), [this] { RunOne(); });
}

void Lane::RunOne() {
  armed_ = 0;
  if (tasks_.empty() || busy()) return;
  if (tasks_.back().due > Now()) return Arm();  // The clock was set back, or the task was cancelled.
  Task task = std::move(tasks_.back().task);
  tasks_.pop_back();
  if (!may_block_) {
    task();
    return Arm();
  }
  fiber_ = std::make_unique<Fiber>(std::move(task));
  ResumeFiber();
}

void Lane::ResumeFiber() {
  fiber_->Resume();
  if (!fiber_->done()) return;
  fiber_.reset();
  Arm();
}

void Lane::Wake() {
  if (fiber_ == nullptr || woken_ != 0 || process_.dead()) return;
  woken_ = process_.timeline().At(process_.timeline().Now(), [this] {
    woken_ = 0;
    if (fiber_ != nullptr) ResumeFiber();
  });
}

void Lane::RunOut() {
  process_.timeline().Cancel(std::exchange(armed_, 0));
  process_.timeline().Cancel(std::exchange(woken_, 0));
  while (fiber_ != nullptr) ResumeFiber();
  // What a task holds may post when it goes: that is dropped.
  std::exchange(tasks_, {}).clear();
}

Process::Process(Timeline& timeline, MachineClock& clock, RandomSource& haste)
    : timeline_(timeline), clock_(clock), haste_(haste) {
  clock_.OnChange([this] { ClockChanged(); });
}

Process::~Process() {
  Die();
  clock_.OnChange([] {});
}

Lane& Process::AddLane(bool may_block) {
  lanes_.push_back(std::unique_ptr<Lane>(new Lane(*this, may_block)));
  return *lanes_.back();
}

void Process::Die() {
  dead_ = true;
  for (const auto& lane : lanes_) lane->RunOut();
}

void Process::ClockChanged() {
  for (const auto& lane : lanes_) {
    timeline_.Cancel(std::exchange(lane->armed_, 0));
    lane->Arm();
  }
}

absl::Duration Process::Haste() { return absl::Microseconds(haste_.Below(kHasteMax)); }

void WaitUntil(const Process& process, const std::function<bool()>& ready) {
  while (!process.dead() && Fiber::Current() != nullptr && !ready()) Fiber::Suspend();
}

}  // namespace aisle::simulation
