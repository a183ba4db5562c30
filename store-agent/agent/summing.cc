// Summing begins when headquarters asks for a step of the secure sum, before the upload or after it. The step is judged
// and taken elsewhere (privacy/secagg/member.h); here it is asked for, one at a time, until headquarters has what the
// store said, or the store has refused: then it is out of the round. The step Collect ends in the upload of the masked
// vector.
#include "base/cover.h"
#include "base/overloaded.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {
namespace {

uint32_t AttemptOf(const SumInstruction& instruction) {
  return std::visit(Overloaded{[](const CollectInstruction& collect) { return collect.inbox->attempt; },
                               [](const auto& other) { return other.attempt; }},
                    instruction);
}

}  // namespace

void AgentMachine::Sum(const RoundId& round, SumInstruction instruction) {
  if (std::holds_alternative<Idle>(state_)) return HoldNothingFor(round);
  const HeldUpdate* held = HeldOf(state_);
  if (held == nullptr || held->round != round) return;
  if (!held->sum) {
    return RefuseToSum(round, RefusalReason::kTermsDiffer, "a step of the secure sum was asked for; the plan has none");
  }
  const auto* collect = std::get_if<CollectInstruction>(&instruction);
  if (collect != nullptr && !collect->inbox) {
    AISLE_COVER("agent.bare_vector_refused");
    return RefuseToSum(round, RefusalReason::kSecureSumRequired,
                       "headquarters asked for the vector without masks; the plan has the secure sum");
  }
  const auto* holding = std::get_if<Holding>(&state_);
  const bool delivered = holding == nullptr;
  if (delivered && std::holds_alternative<AdvertiseInstruction>(instruction)) {
    AISLE_COVER("agent.delivered_vector_spent");
    return RefuseToSum(round, RefusalReason::kVectorSpent,
                       "the masked vector was handed in; it is never masked for another cohort");
  }
  Summing summing{.held = *held,
                  .instruction = std::move(instruction),
                  .tried = delivered || holding->tried,
                  .delivered = delivered};
  AskStep(summing);
  state_ = std::move(summing);
}

void AgentMachine::RefuseToSum(const RoundId& round, RefusalReason reason, std::string_view why) {
  GiveUp(round, Refused{reason, std::string(why)});
}

void AgentMachine::AskStep(const Summing& summing) {
  CohortTerms terms = *summing.held.sum;
  terms.attempt = AttemptOf(summing.instruction);
  Emit(TakeSumStep{.ticket = OpenStep(),
                   .terms = std::move(terms),
                   .update = summing.held.update,
                   .instruction = summing.instruction});
}

void AgentMachine::On(const SumStepTaken& event) {
  if (!TakeStep(event.ticket)) return;
  switch (event.outcome.verdict) {
    case Verdict::kDone:
      task_backoff_.Reset();
      conversation_.HeardOfHeadquarters();
      return EndStep();
    case Verdict::kTryAgain:
    case Verdict::kStartOver:
      return RetryStep(event.outcome);
    case Verdict::kRoundOver:  // It came too late for its step, or for the round: the next check-in says which.
      AISLE_COVER("agent.sum_step_late");
      return EndStep();
    case Verdict::kImpossible: {
      const RoundId round = std::get<Summing>(state_).held.round;
      return GiveUp(round, Failed{FailureReason::kPlanError,
                                  "headquarters won't take a step of the secure sum: " + event.outcome.detail});
    }
  }
}

void AgentMachine::EndStep() {
  Summing summing = std::get<Summing>(std::move(state_));
  if (summing.delivered) {
    state_ = Delivered{std::move(summing.held)};
  } else {
    state_ = Holding{.held = std::move(summing.held), .tried = summing.tried};
  }
}

void AgentMachine::On(const UpdateMasked& event) {
  if (!TakeStep(event.ticket)) return;
  Summing summing = std::get<Summing>(std::move(state_));
  Upload({.held = std::move(summing.held), .sent = event.masked, .resume = summing.tried});
}

}  // namespace aisle::agent
