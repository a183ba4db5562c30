// How a task on a worker ended, in words the agent, the coordinator and the metrics share.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"

namespace aisle {

enum class WorkerEnd : uint8_t {
  kAnswered,     // With the result that was asked for.
  kPlanInvalid,  // The plan doesn't parse, doesn't compile, or uses an operator that isn't allowed.
  kPlanError,    // The plan raised an error, or returned wrong shapes or non-finite values.
  kBadRequest,   // The worker refused the request itself.
  kMemoryCap,    // The task needed more memory than it may have.
  kCpuTimeCap,
  kWallTimeCap,
  kSandbox,          // The kernel killed the worker for a forbidden system call.
  kCrash,            // It died of anything else.
  kBadFrame,         // It answered with bytes that are no valid answer.
  kStopped,          // The caller asked for it.
  kNotStarted,       // There is no worker: its program is missing, or it couldn't be started.
  kCustomerTimeCap,  // One customer's rows kept the plan busy for too long.
};
inline constexpr int kWorkerEnds = 13;

std::string_view NameOf(WorkerEnd end);  // "answered", "plan_invalid", ...: for metric labels.

struct WorkerUse {
  uint64_t memory_peak = 0;  // Resident bytes, the most since the worker's start.
  absl::Duration cpu_time;   // Of this task.
  absl::Duration wall_time;
};

// A mark that names more customers is no mark: some four times the lanes a worker has, so that what a worker makes up
// can't keep the agent busy.
inline constexpr int kMarkCustomersMax = 1024;

// On whose rows the plan's program was running; see Mark in worker.proto. Stays in the store.
struct WorkerMark {
  uint32_t step = 0;
  std::vector<uint32_t> customers;
};

struct WorkerOutcome {
  WorkerEnd end = WorkerEnd::kNotStarted;
  // For people in the store. It may quote the plan's own error text, which may quote data: headquarters gets only
  // `end`.
  std::string detail;
  v1::WorkerReply reply;  // The final one; meaningful only if answered.
  WorkerMark mark;        // The last one: over whom the task ended, if it wasn't answered.
  WorkerUse use;
  // The system or somebody on the box ended it (SIGKILL), or it was gone before the task: not by itself a fault of plan
  // or rows. `end` says what to make of it if it happens again.
  bool killed = false;

  bool ok() const { return end == WorkerEnd::kAnswered; }
  // Whether the same worker can take another task.
  bool worker_survives() const;
  // OK; InvalidArgument for the plan's mistakes, ResourceExhausted for caps, Cancelled, Unavailable, and so on.
  Status status() const;
};

WorkerOutcome Ended(WorkerEnd end, std::string detail);  // Without an answer.

// What the process's end says, from waitpid's `wait_status`. `last_words` are the end of its stderr.
struct Death {
  int wait_status = 0;
  uint64_t memory_peak = 0;
  uint64_t memory_cap = 0;
  std::string last_words;
};
WorkerOutcome OutcomeOfDeath(const Death& death);

// The outcome that a final reply stands for.
WorkerOutcome OutcomeOfReply(v1::WorkerReply reply);

// What one message says of the task that was asked for by `request_id`. An outcome ends the task: a final reply, or
// kBadFrame for bytes that are no answer to it.
using WorkerWord = std::variant<WorkerOutcome, WorkerMark, v1::Checkpoint, v1::Progress>;
WorkerWord UnderstandWorker(const std::string& message, uint64_t request_id);

}  // namespace aisle
