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
  if (const auto* holding = std::get_if<Holding>(&state_)) return ReportHeld(holding->held);
  if (const auto* delivered = std::get_if<Delivered>(&state_)) return ReportHeld(delivered->held);
}

// The store was in the round and has lost what it held for it.
void AgentMachine::HoldNothingFor(const RoundId& round) {
  AISLE_COVER("agent.nothing_to_collect");
  Emit(TellRoundBegun{round});
  GiveUp(round, Failed{FailureReason::kStorage, "the store holds no finished update for this round"});
}

void AgentMachine::Obey(const CollectInstruction& collect) {
  const HeldUpdate* held = HeldOf(state_);
  if (collect.inbox || (held != nullptr && held->sum)) return Sum(collect.round, collect);
  if (std::holds_alternative<Idle>(state_)) return HoldNothingFor(collect.round);
  if (held == nullptr || held->round != collect.round) return;
  if (const auto* holding = std::get_if<Holding>(&state_)) {
    return Upload({.held = *held, .sent = held->update, .resume = holding->tried});
  }
  AISLE_COVER("agent.asked_to_upload_again");
  Upload({.held = *held, .sent = held->update, .resume = true});
}

void AgentMachine::Obey(const AdvertiseInstruction& advertise) { Sum(advertise.round, advertise); }
void AgentMachine::Obey(const ShareInstruction& share) { Sum(share.round, share); }
void AgentMachine::Obey(const ConfirmInstruction& confirm) { Sum(confirm.round, confirm); }
void AgentMachine::Obey(const UnmaskInstruction& unmask) { Sum(unmask.round, unmask); }

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
