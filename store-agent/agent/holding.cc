// Holding begins when headquarters knows of the finished vector. It uploads the vector when asked to, as often as
// asked, and ends when the round is closed. Under the secure sum what goes up is the masked vector, and steps of the
// sum come before and after (summing.cc).
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::Upload(Uploading uploading) {
  AskUpload(uploading);
  state_ = std::move(uploading);
}

void AgentMachine::AskUpload(const Uploading& uploading) {
  Emit(UploadUpdate{.ticket = OpenStep(),
                    .round = uploading.held.round,
                    .update = uploading.sent,
                    .masked = uploading.held.sum.has_value(),
                    .resume = uploading.resume});
}

void AgentMachine::On(const UpdateUploaded& event) {
  if (!TakeStep(event.ticket)) return;
  auto& uploading = std::get<Uploading>(state_);
  switch (event.outcome.verdict) {
    case Verdict::kDone: {
      task_backoff_.Reset();
      conversation_.HeardOfHeadquarters();
      Emit(SaveRecord{UploadedRecord{uploading.held}});
      state_ = Delivered{HeldUpdate(uploading.held)};
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
      state_ = Holding{.held = HeldUpdate(uploading.held), .tried = true};
      return;
    case Verdict::kImpossible:
      return GiveUp(uploading.held.round,
                    Failed{FailureReason::kPlanError, "headquarters won't take the update: " + event.outcome.detail});
  }
}

}  // namespace aisle::agent
