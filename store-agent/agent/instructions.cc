// What headquarters says to the open check-in. Each instruction is judged by where the agent stands: one that doesn't
// fit (a repeat, a round of yesterday) changes nothing, and the next check-in tells headquarters how things are.
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::On(const CheckInAnswered& event) {
  if (!conversation_.Answered(event.ticket, now_)) return;
  clock_skew_ = event.headquarters_clock - now_;
  std::visit([this](const auto& instruction) { Obey(instruction); }, event.instruction);
}

void AgentMachine::On(const CheckInFailed& event) { conversation_.FailedToAsk(event.ticket, event.outcome, now_); }

void AgentMachine::Obey(const TrainInstruction& train) {
  if (std::holds_alternative<Idle>(state_)) return BeginTask(train);
  if (RoundOf(state_) != train.round) {
    AISLE_COVER("agent.second_task_ignored");
    return;
  }
  // Headquarters doesn't know that the vector is finished: tell it again.
  if (const auto* holding = std::get_if<Holding>(&state_)) return Report(holding->round, Trained{holding->update});
  if (const auto* delivered = std::get_if<Delivered>(&state_)) {
    return Report(delivered->round, Trained{delivered->update});
  }
}

void AgentMachine::Obey(const CollectInstruction& collect) {
  if (std::holds_alternative<Idle>(state_)) {
    AISLE_COVER("agent.nothing_to_collect");
    Emit(TellRoundBegun{collect.round});
    return GiveUp(collect.round, Failed{FailureReason::kStorage, "the store holds no finished update for this round"});
  }
  if (RoundOf(state_) != collect.round) return;
  if (const auto* holding = std::get_if<Holding>(&state_)) {
    return Upload({.round = holding->round, .update = holding->update, .resume = holding->tried});
  }
  if (const auto* delivered = std::get_if<Delivered>(&state_)) {
    AISLE_COVER("agent.asked_to_upload_again");
    return Upload({.round = delivered->round, .update = delivered->update, .resume = true});
  }
}

void AgentMachine::Obey(const RoundClosed& closed) {
  if (RoundOf(state_) != closed.round) return;
  using enum RoundResult;
  const RoundResult result = closed.outcome == RoundOutcome::kCommitted ? kCommitted
                             : closed.outcome == RoundOutcome::kLeftOut ? kLeftOut
                                                                        : kAborted;
  Emit(TellRoundEnded{.round = closed.round, .result = result, .detail = closed.reason});
  DropTask();
}

void AgentMachine::Obey(const ComeBack& come_back) { conversation_.ComeBackAfter(come_back.after, now_); }

}  // namespace aisle::agent
