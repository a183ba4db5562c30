// Several threads for waits: for the disk to sync, for something slow outside. State belongs to an Executor instead.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace aisle {

// Thread-safe.
class ThreadPool {
 public:
  using Task = std::function<void()>;

  ThreadPool(const char* thread_name, size_t threads);
  ~ThreadPool();  // Calls Shutdown.
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Tasks begin in the order in which they were posted, and run beside each other. Dropped after Shutdown.
  void Post(Task task);
  // Finishes the tasks in hand, drops those that wait, and joins.
  void Shutdown();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisle
