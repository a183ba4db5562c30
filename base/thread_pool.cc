#include "base/thread_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace aisle {

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;  // Guarded by mutex, as is the next.
  bool stopping = false;
  std::vector<std::thread> threads;

  void Run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return stopping || !tasks.empty(); });
      if (stopping) return;
      Task task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
      task = nullptr;  // What it holds goes before the next one comes.
      lock.lock();
    }
  }
};

ThreadPool::ThreadPool(const char* thread_name, size_t threads) : state_(std::make_unique<State>()) {
  for (size_t i = 0; i < threads; ++i) {
    std::thread& thread = state_->threads.emplace_back([this] { state_->Run(); });
    pthread_setname_np(thread.native_handle(), thread_name);
  }
}

ThreadPool::~ThreadPool() { Shutdown(); }

void ThreadPool::Post(Task task) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->tasks.push_back(std::move(task));
  }
  state_->changed.notify_one();
}

void ThreadPool::Shutdown() {
  std::deque<Task> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->tasks);
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace aisle
