#include "store-agent/supervisor/outcome.h"

#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>

#include "base/clock.h"

namespace aisle {

namespace {

constexpr std::array<std::string_view, kWorkerEnds> kNames = {
    "answered", "plan_invalid", "plan_error", "bad_request", "memory_cap",  "cpu_time_cap",     "wall_time_cap",
    "sandbox",  "crash",        "bad_frame",  "stopped",     "not_started", "customer_time_cap"};

constexpr size_t kDetailSizeMax = 2000;

WorkerEnd EndOf(v1::WorkerFailure::Reason reason) {
  switch (reason) {
    case v1::WorkerFailure::REASON_PLAN_INVALID:
      return WorkerEnd::kPlanInvalid;
    case v1::WorkerFailure::REASON_PLAN_ERROR:
      return WorkerEnd::kPlanError;
    case v1::WorkerFailure::REASON_BAD_REQUEST:
      return WorkerEnd::kBadRequest;
    case v1::WorkerFailure::REASON_OUT_OF_MEMORY:
      return WorkerEnd::kMemoryCap;
    case v1::WorkerFailure::REASON_STOPPED:
      return WorkerEnd::kStopped;
    default:
      return WorkerEnd::kBadFrame;
  }
}

// A worker that dies within a sixteenth of its cap most likely died of it: not every allocation's failure is an
// exception.
bool WasNearItsCap(const Death& death) {
  return death.memory_cap > 0 && death.memory_peak >= death.memory_cap - death.memory_cap / 16;
}

std::string OutOfMemoryText(const Death& death) {
  return fmt::format("the task needed more than its {} of memory ([limits] memory, or the site policy's cap)",
                     FormatByteCount(death.memory_cap));
}

WorkerOutcome OutcomeOfSignal(const Death& death, int number) {
  switch (number) {
    case SIGSYS:
      return Ended(WorkerEnd::kSandbox, "the plan tried a system call that the sandbox kills for");
    case SIGXCPU:
      return Ended(WorkerEnd::kCpuTimeCap,
                   "the task used up its CPU time ([limits] cpu_time, or the site policy's cap)");
    case SIGKILL:
      return Ended(WorkerEnd::kMemoryCap, "the system killed the worker, as it does when memory runs out");
    default:
      break;
  }
  if (WasNearItsCap(death)) return Ended(WorkerEnd::kMemoryCap, OutOfMemoryText(death));
  return Ended(WorkerEnd::kCrash, fmt::format("the worker died of signal {} ({}){}{}", number, strsignal(number),
                                              death.last_words.empty() ? "" : ": ", death.last_words));
}

}  // namespace

WorkerOutcome Ended(WorkerEnd end, std::string detail) {
  WorkerOutcome outcome;
  outcome.end = end;
  outcome.detail = std::move(detail);
  return outcome;
}

std::string_view NameOf(WorkerEnd end) { return kNames[static_cast<size_t>(end)]; }

bool WorkerOutcome::worker_survives() const {
  return end == WorkerEnd::kAnswered || end == WorkerEnd::kPlanInvalid || end == WorkerEnd::kPlanError ||
         end == WorkerEnd::kBadRequest;
}

Status WorkerOutcome::status() const {
  switch (end) {
    case WorkerEnd::kAnswered:
      return OkStatus();
    case WorkerEnd::kPlanInvalid:
    case WorkerEnd::kPlanError:
    case WorkerEnd::kBadRequest:
      return InvalidArgument("{}", detail);
    case WorkerEnd::kMemoryCap:
      return ResourceExhausted("{}", detail);
    case WorkerEnd::kCpuTimeCap:
    case WorkerEnd::kWallTimeCap:
    case WorkerEnd::kCustomerTimeCap:
      return DeadlineExceeded("{}", detail);
    case WorkerEnd::kSandbox:
      return PermissionDenied("{}", detail);
    case WorkerEnd::kStopped:
      return Cancelled("{}", detail);
    case WorkerEnd::kNotStarted:
      return FailedPrecondition("{}", detail);
    case WorkerEnd::kCrash:
    case WorkerEnd::kBadFrame:
      break;
  }
  return Internal("{}", detail);
}

WorkerOutcome OutcomeOfDeath(const Death& death) {
  WorkerOutcome outcome;
  if (WIFSIGNALED(death.wait_status)) {
    outcome = OutcomeOfSignal(death, WTERMSIG(death.wait_status));
    outcome.killed = WTERMSIG(death.wait_status) == SIGKILL;
  } else {
    outcome = Ended(WorkerEnd::kCrash, fmt::format("the worker exited with code {} in the middle of the task{}{}",
                                                   WEXITSTATUS(death.wait_status), death.last_words.empty() ? "" : ": ",
                                                   death.last_words));
  }
  outcome.use.memory_peak = death.memory_peak;
  return outcome;
}

WorkerOutcome OutcomeOfReply(v1::WorkerReply reply) {
  WorkerOutcome outcome;
  outcome.end = WorkerEnd::kAnswered;
  if (reply.has_failure()) {
    outcome.end = EndOf(reply.failure().reason());
    outcome.detail = reply.failure().detail().substr(0, kDetailSizeMax);
    return outcome;
  }
  outcome.reply = std::move(reply);
  return outcome;
}

WorkerWord UnderstandWorker(const std::string& message, uint64_t request_id) {
  v1::WorkerReply reply;
  if (!reply.ParseFromString(message)) return Ended(WorkerEnd::kBadFrame, "the worker's answer can't be read");
  if (reply.request_id() != request_id || reply.reply_case() == v1::WorkerReply::REPLY_NOT_SET) {
    return Ended(WorkerEnd::kBadFrame, "the worker answered something that wasn't asked");
  }
  if (reply.has_mark()) {
    const v1::Mark& mark = reply.mark();
    if (mark.customers_size() > kMarkCustomersMax) {
      return Ended(WorkerEnd::kBadFrame,
                   fmt::format("the worker says it is at work on {} customers at once; at most {}",
                               mark.customers_size(), kMarkCustomersMax));
    }
    return WorkerMark{.step = mark.step(), .customers = {mark.customers().begin(), mark.customers().end()}};
  }
  if (reply.has_checkpoint()) return std::move(*reply.mutable_checkpoint());
  if (reply.has_progress()) return std::move(*reply.mutable_progress());
  return OutcomeOfReply(std::move(reply));
}

}  // namespace aisle
