// Holding begins when headquarters knows of the finished vector. It uploads the vector when asked to, as often as
// asked, and ends when the round is closed.
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::Upload(Uploading uploading) {
  Emit(UploadUpdate{OpenStep(), uploading.round, uploading.update, uploading.resume});
  state_ = std::move(uploading);
}

void AgentMachine::On(const UpdateUploaded& event) {
  if (!TakeStep(event.ticket)) return;
  auto& uploading = std::get<Uploading>(state_);
  switch (event.outcome.verdict) {
    case Verdict::kDone: {
      task_backoff_.Reset();
      conversation_.HeardOfHeadquarters();
      Emit(SaveRecord{UploadedRecord{uploading.round, uploading.update}});
      state_ = Delivered{uploading.round, uploading.update};
      return;
    }
    case Verdict::kTryAgain:
      uploading.resume = true;
      return RetryStep(event.outcome);
    case Verdict::kStartOver:
      AISLE_COVER("agent.upload_started_over");
      uploading.resume = false;
      return RetryStep(event.outcome);
    case Verdict::kRoundOver:  // The next check-in says how it ended.
      state_ = Holding{.round = uploading.round, .update = uploading.update, .tried = true};
      return;
    case Verdict::kImpossible:
      return GiveUp(uploading.round,
                    Failed{FailureReason::kPlanError, "headquarters won't take the update: " + event.outcome.detail});
  }
}

}  // namespace aisle::agent
