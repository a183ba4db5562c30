// Running one task in a sandboxed aisle-worker, for people: with a progress bar, and under the plan's own caps.
#pragma once

#include <string>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle::cli {

// The program to start: as given, else the environment's, else aisle-worker beside this very program.
std::string WorkerProgram(const std::string& given);

// Caps for tasks of no plan: loading an archive.
TaskLimits DefaultLimits();

// Starts workers as needed and keeps one warm between tasks.
class LocalWorker {
 public:
  explicit LocalWorker(const std::string& program);
  ~LocalWorker();
  LocalWorker(const LocalWorker&) = delete;
  LocalWorker& operator=(const LocalWorker&) = delete;

  // The final reply. Errors as WorkerOutcome::status; NotFound names a missing program and how to point to one.
  StatusOr<v1::WorkerReply> Run(const v1::WorkerRequest& request, const TaskLimits& limits, const std::string& title);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisle::cli
