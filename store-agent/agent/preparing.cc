// Preparing begins with a task and ends with a clean update in memory: plan -> vetted -> weights -> trained. All of it
// can be done again from the start without harm; nothing has left the store.
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::Prepare(Task task) {
  Emit(FetchBlob{OpenStep(), task.instruction.plan});
  state_ = FetchingPlan{std::move(task)};
}

void AgentMachine::On(const BlobFetched& event) {
  if (!TakeStep(event.ticket)) return;
  const bool is_plan = std::holds_alternative<FetchingPlan>(state_);
  Task& task = is_plan ? std::get<FetchingPlan>(state_).task : std::get<FetchingWeights>(state_).task;
  if (event.outcome.verdict != Verdict::kDone) {
    return OnDownloadFailed(task, is_plan ? "plan" : "weights", event.outcome);
  }
  task_backoff_.Reset();
  if (is_plan) {
    Emit(VetPlan{OpenStep(), task.instruction});
    state_ = VettingPlan{std::move(task)};
  } else {
    Emit(TrainUpdate{OpenStep(), task.instruction, task.seed.Clone(), task.instruction.deadline - clock_skew_});
    state_ = Training{std::move(task)};
  }
}

void AgentMachine::OnDownloadFailed(Task& task, std::string_view what, const CallOutcome& outcome) {
  if (outcome.verdict == Verdict::kStartOver) ++task.wrong_blobs;
  const bool again = outcome.verdict == Verdict::kTryAgain || outcome.verdict == Verdict::kStartOver;
  const bool late = task.instruction.deadline - clock_skew_ <= now_;
  if (again && !late && task.wrong_blobs < kWrongBlobsMax) return RetryStep(outcome);
  GiveUp(task.instruction.round,
         Failed{FailureReason::kDownload, fmt::format("the {} could not be fetched: {}", what, outcome.detail)});
}

void AgentMachine::On(const PlanVetted& event) {
  if (!TakeStep(event.ticket)) return;
  Task task = std::move(std::get<VettingPlan>(state_).task);
  Emit(FetchBlob{OpenStep(), task.instruction.weights});
  state_ = FetchingWeights{std::move(task)};
}

}  // namespace aisle::agent
