// One aisle-worker: started, fed, watched, capped, and ended. Nothing here links LibTorch or trusts what the child
// says.
//
// The caps are the kernel's: RLIMIT_DATA for memory (all private writable memory: an allocation past it fails, and the
// task is answered with the reason), RLIMIT_CPU for CPU time, and a deadline after which the child is killed. The child
// dies with us: the end of its input ends it, whatever it is doing. (PR_SET_PDEATHSIG would not do: it is tied to the
// thread that started the child, not to this process.)
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/supervisor/outcome.h"

namespace aisle {

// A task that is asked to stop has this long to answer before it is killed.
inline constexpr absl::Duration kStopGrace = absl::Seconds(2);

class WorkerProcess {
 public:
  using OnProgress = std::function<void(const v1::Progress&)>;
  using OnCheckpoint = std::function<void(const v1::Checkpoint&)>;

  // Starts the program and returns at once; it loads LibTorch (half a second) while the caller does other things.
  // NotFound or PermissionDenied naming the program, Unavailable if the system is short of something.
  static StatusOr<std::unique_ptr<WorkerProcess>> Start(const std::string& program);
  ~WorkerProcess();  // Kills it.
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Runs one task to its end, however it ends; blocks. `caps` are the task's own: CPU time counts from now. Progress
  // and pieces of checkpoints are told on this thread. A `stop` asks the task to end at its next step, then kills it.
  // One task at a time. Afterwards the worker is warm for the next task if outcome.worker_survives(), and gone
  // otherwise.
  WorkerOutcome Run(const v1::WorkerRequest& request, const TaskLimits& caps, const OnProgress& on_progress = {},
                    std::stop_token stop = {}, const OnCheckpoint& on_checkpoint = {});

  bool alive() const;
  void Kill();                       // At once; a no-op if it is gone. Not while Run is running: use its stop token.
  uint64_t memory_resident() const;  // Bytes now; 0 if it is gone.
  int pid() const;

 private:
  struct State;
  explicit WorkerProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aisle
