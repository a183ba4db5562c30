// Releasing begins with a clean update in memory. The record says so before the ledger is asked, for from there on a
// debit may exist; it ends with the noised vector in the spool, or with the task given up.
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::On(const UpdateTrained& event) {
  if (!TakeStep(event.ticket)) return;
  TrainInstruction instruction = std::move(std::get<Training>(state_).task.instruction);
  Emit(SaveRecord{ReleasingRecord{instruction.round, event.sum}});
  Emit(ReleaseUpdate{OpenStep(), instruction});
  state_ = Releasing{std::move(instruction), event.sum};
}

void AgentMachine::On(const UpdateReleased& event) {
  if (!TakeStep(event.ticket)) return;
  const auto& releasing = std::get<Releasing>(state_);
  Finish({.round = releasing.instruction.round, .update = event.update, .sum = releasing.sum});
}

void AgentMachine::Finish(HeldUpdate held) {
  Emit(SaveRecord{FinishedRecord{held}});
  ReportHeld(std::move(held));
}

void AgentMachine::On(const TaskRefused& event) {
  if (!TakeStep(event.ticket)) return;
  const std::optional<RoundId> round = RoundOf(state_);
  const auto* vetting = std::get_if<VettingPlan>(&state_);
  if (vetting != nullptr && IsLasting(event.refused.reason)) declined_plans_.Add(vetting->task.instruction.plan.digest);
  GiveUp(*round, event.refused);
}

void AgentMachine::On(const TaskFailed& event) {
  if (!TakeStep(event.ticket)) return;
  const std::optional<RoundId> round = RoundOf(state_);
  GiveUp(*round, event.failed);
}

// From here on the round costs this store nothing but the report.
void AgentMachine::GiveUp(const RoundId& round, TaskOutcome outcome) {
  const RoundId given_up = round;
  Emit(SaveRecord{GivenUpRecord{given_up, outcome}});
  Report(given_up, std::move(outcome));
}

}  // namespace aisle::agent
