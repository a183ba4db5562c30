#include "base/executor.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace aisle {
namespace {

// Tasks by (due time, order of posting), with a way back from the timer's id.
class Agenda {
 public:
  Executor::TimerId Add(absl::Time due, Executor::Task task) {
    const Executor::TimerId id = ++last_id_;
    tasks_.emplace(Key{due, id}, std::move(task));
    due_.emplace(id, due);
    return id;
  }
  void Remove(Executor::TimerId id) {
    const auto found = due_.find(id);
    if (found == due_.end()) return;
    tasks_.erase(Key{found->second, id});
    due_.erase(found);
  }
  bool empty() const { return tasks_.empty(); }
  absl::Time FirstDue() const { return tasks_.begin()->first.first; }
  Executor::Task TakeFirst() {
    auto first = tasks_.extract(tasks_.begin());
    due_.erase(first.key().second);
    return std::move(first.mapped());
  }
  void Clear() {
    tasks_.clear();
    due_.clear();
  }

 private:
  using Key = std::pair<absl::Time, Executor::TimerId>;
  std::map<Key, Executor::Task> tasks_;
  std::map<Executor::TimerId, absl::Time> due_;
  Executor::TimerId last_id_ = 0;
};

}  // namespace

struct ThreadExecutor::State {
  std::mutex mutex;
  std::condition_variable changed;
  Agenda agenda;  // Guarded by mutex, as are the next two.
  bool stopping = false;
  bool busy = false;
  std::thread thread;
};

ThreadExecutor::ThreadExecutor(const char* thread_name) : state_(std::make_unique<State>()) {
  state_->thread = std::thread([this] { Run(); });
  pthread_setname_np(state_->thread.native_handle(), thread_name);
}

ThreadExecutor::~ThreadExecutor() { Shutdown(); }

void ThreadExecutor::Post(Task task) { PostAt(absl::InfinitePast(), std::move(task)); }

Executor::TimerId ThreadExecutor::PostAt(absl::Time due, Task task) {
  const std::lock_guard lock(state_->mutex);
  if (state_->stopping) return 0;
  const TimerId id = state_->agenda.Add(due, std::move(task));
  state_->changed.notify_all();
  return id;
}

void ThreadExecutor::Cancel(TimerId timer) {
  const std::lock_guard lock(state_->mutex);
  state_->agenda.Remove(timer);
}

void ThreadExecutor::Run() {
  std::unique_lock lock(state_->mutex);
  while (!state_->stopping) {
    if (state_->agenda.empty()) {
      state_->changed.notify_all();
      state_->changed.wait(lock);
      continue;
    }
    const absl::Duration wait = state_->agenda.FirstDue() - absl::Now();
    if (wait > absl::ZeroDuration()) {
      state_->changed.notify_all();
      state_->changed.wait_for(lock, absl::ToChronoNanoseconds(std::min(wait, absl::Hours(1))));
      continue;
    }
    Task task = state_->agenda.TakeFirst();
    state_->busy = true;
    lock.unlock();
    task();
    task = nullptr;  // What it held is released outside the lock.
    lock.lock();
    state_->busy = false;
  }
}

void ThreadExecutor::Drain() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] {
    return state_->stopping || (!state_->busy && (state_->agenda.empty() || state_->agenda.FirstDue() > absl::Now()));
  });
}

void ThreadExecutor::Shutdown() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
  }
  if (state_->thread.joinable()) state_->thread.join();
  state_->agenda.Clear();
}

bool ThreadExecutor::IsThisThread() const { return std::this_thread::get_id() == state_->thread.get_id(); }

struct ManualExecutor::State {
  absl::Time now;
  Agenda agenda;
};

ManualExecutor::ManualExecutor(absl::Time start) : state_(std::make_unique<State>()) { state_->now = start; }
ManualExecutor::~ManualExecutor() = default;

absl::Time ManualExecutor::Now() const { return state_->now; }
void ManualExecutor::Post(Task task) { state_->agenda.Add(absl::InfinitePast(), std::move(task)); }
Executor::TimerId ManualExecutor::PostAt(absl::Time due, Task task) { return state_->agenda.Add(due, std::move(task)); }
void ManualExecutor::Cancel(TimerId timer) { state_->agenda.Remove(timer); }

void ManualExecutor::DropAll() { state_->agenda.Clear(); }

void ManualExecutor::RunDue() {
  while (!state_->agenda.empty() && state_->agenda.FirstDue() <= state_->now) state_->agenda.TakeFirst()();
}

void ManualExecutor::AdvanceTo(absl::Time time) {
  RunDue();
  while (!state_->agenda.empty() && state_->agenda.FirstDue() <= time) {
    state_->now = std::max(state_->now, state_->agenda.FirstDue());
    RunDue();
  }
  state_->now = std::max(state_->now, time);
}

}  // namespace aisle
