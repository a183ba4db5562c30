// One request in, one answer out: the worker's tasks, free of pipes and of LibTorch.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "aisle/v1/worker.pb.h"
#include "store-agent/worker/checkpoints.h"

namespace aisle {

// Keeps the last plan compiled from source, so that the next round of a job starts at once; nothing of a task's rows or
// weights outlives it. Not thread-safe, but `stop` may be set from any thread.
class TaskRunner {
 public:
  // Told at most every 200 ms, and after the last step.
  using OnProgress = std::function<void(const v1::Progress&)>;

  TaskRunner();
  ~TaskRunner();
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;

  // Told of every customer before the plan's program runs on their rows.
  using OnMark = std::function<void(const v1::Mark&)>;

  // Never throws: whatever goes wrong is a WorkerFailure. The reply carries the request's id. Checkpoints are told
  // where a TrainTask asks for them, and once more when it is stopped between two steps.
  v1::WorkerReply Run(const v1::WorkerRequest& request, const OnProgress& on_progress, const std::atomic<bool>& stop,
                      const OnMark& on_mark = {}, const OnCheckpoint& on_checkpoint = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisle
