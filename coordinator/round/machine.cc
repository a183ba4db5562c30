// Dispatch, and what every phase shares. The phases' own stories: selecting.cc, training.cc, advertising.cc,
// sharing.cc, collecting.cc, confirming.cc, unmasking.cc, committing.cc.
#include "coordinator/round/machine.h"

#include <algorithm>

#include "base/check.h"
#include "base/overloaded.h"
#include "base/reason.h"
#include "coordinator/round/transitions.h"

namespace aisle {
bool IsAllowed(PhaseName from, PhaseName to) {
  return std::ranges::any_of(kTransitions, [&](const Transition& move) { return move.from == from && move.to == to; });
}

RoundMachine::RoundMachine(RoundId id, RoundPolicy policy, uint64_t seed, absl::Time opened_at)
    : id_(std::move(id)),
      policy_(std::move(policy)),
      seed_(seed),
      opened_at_(opened_at),
      phase_(Selecting{.closes_at = opened_at + policy_.selecting_for}) {
  AISLE_CHECK(policy_.cohort_min >= 1 && policy_.cohort_min <= policy_.cohort_target);
  AISLE_CHECK(policy_.selection_wanted >= policy_.cohort_min);
}

Effects RoundMachine::Open() const {
  return {SetDeadline{.phase = PhaseName::kSelecting, .at = opened_at_ + policy_.selecting_for}};
}

Status RoundMachine::Check(const Event& event) const {
  return std::visit(Overloaded{[&](const OutcomeReported& reported) { return CheckOutcome(reported); },
                               [&](const UpdateCollected& collected) { return CheckUpdate(collected); },
                               [&](const SumStepTaken& taken) { return CheckStep(taken); },
                               [&](const StoreOffered& offered) {
                                 if (std::holds_alternative<Selecting>(phase_)) return OkStatus();
                                 return FailedPrecondition("round {} is {}; {} comes too late to be selected", id_,
                                                           NameOf(NameOfPhase(phase_)), offered.store);
                               },
                               [](const auto&) { return OkStatus(); }},
                    event);
}

bool RoundMachine::IsRepeat(const Event& event) const {
  if (closed()) return true;
  return std::visit(Overloaded{[&](const OutcomeReported& reported) { return IsRepeat(reported); },
                               [&](const UpdateCollected& collected) {
                                 const Roster* roster = RosterOf(phase_);
                                 const Seat* seat = roster == nullptr ? nullptr : roster->Find(collected.store);
                                 return seat != nullptr && std::holds_alternative<GaveUpdate>(*seat);
                               },
                               [&](const SumStepTaken& taken) { return IsPast(taken) || IsKnown(taken); },
                               [&](const StoreOffered& offered) {
                                 const auto* selecting = std::get_if<Selecting>(&phase_);
                                 return selecting != nullptr && selecting->candidates.contains(offered.store);
                               },
                               [&](const DeadlinePassed& passed) { return passed.phase != NameOfPhase(phase_); },
                               [&](const RoundCancelled&) { return std::holds_alternative<Committing>(phase_); },
                               [&](const auto&) { return !std::holds_alternative<Committing>(phase_); }},
                    event);
}

Status RoundMachine::NoPart(const StoreId& store) const {
  return WithReason(NotFound("{} has no part in round {}", store, id_), Reason::kNotInRound);
}

Effects RoundMachine::Handle(const Event& event, absl::Time now) {
  Effects effects;
  if (closed() || !Check(event).ok()) return effects;
  std::visit(
      Overloaded{[&](const StoreOffered& offered) { OnOffered(std::get<Selecting>(phase_), offered, now, effects); },
                 [&](const OutcomeReported& reported) {
                   if (auto* training = std::get_if<Training>(&phase_)) {
                     OnOutcome(*training, reported, now, effects);
                   } else if (IsSumming(phase_)) {
                     OnLeaving(reported, now, effects);
                   }
                 },
                 [&](const UpdateCollected& collected) {
                   if (auto* collecting = std::get_if<Collecting>(&phase_)) {
                     OnCollected(*collecting, collected, now, effects);
                   }
                 },
                 [&](const SumStepTaken& taken) { OnStep(taken, now, effects); },
                 [&](const DeadlinePassed& passed) { Expire(passed.phase, now, effects); },
                 [&](const ModelPublished& published) {
                   if (auto* committing = std::get_if<Committing>(&phase_)) {
                     OnPublished(*committing, published, effects);
                   }
                 },
                 [&](const CommitFailed& failed) {
                   if (std::holds_alternative<Committing>(phase_)) {
                     for (const StoreId& store : failed.at_fault) {
                       effects.push_back(Distrust{.store = store, .why = "it dealt shares of no secret"});
                     }
                     AbortFromAnyPhase(AbortReason::kCommitFailed, failed.explanation, effects);
                   }
                 },
                 [&](const RoundCancelled& cancelled) {
                   // Once the sum is whole the round is as good as published: it finishes.
                   if (!std::holds_alternative<Committing>(phase_)) {
                     AbortFromAnyPhase(AbortReason::kCancelled, cancelled.reason, effects);
                   }
                 }},
      event);
  return effects;
}

void RoundMachine::Expire(PhaseName phase, absl::Time now, Effects& effects) {
  if (phase != NameOfPhase(phase_)) return;  // A timer of a phase that ended before its deadline.
  std::visit(Overloaded{[&](Selecting& selecting) { CloseSelection(selecting, now, effects); },
                        [&](Training& training) { CloseTraining(training, now, effects); },
                        [&](Advertising& advertising) { Close(advertising, now, effects); },
                        [&](Sharing& sharing) { Close(sharing, now, effects); },
                        [&](Collecting& collecting) { CloseCollecting(collecting, now, effects); },
                        [&](Confirming& confirming) { Close(confirming, now, effects); },
                        [&](Unmasking& unmasking) { Close(unmasking, effects); }, [](auto&) {}},
             phase_);
}

Duty RoundMachine::DutyOf(const StoreId& store) const {
  const Roster* roster = RosterOf(phase_);
  if (roster == nullptr) {
    const auto& candidates = std::get<Selecting>(phase_).candidates;
    return candidates.contains(store) ? Duty(DutyWait{}) : Duty(NoDuty{});
  }
  const Seat* seat = roster->Find(store);
  if (seat == nullptr) return NoDuty{};
  if (const auto* aborted = std::get_if<Aborted>(&phase_)) {
    return DutyDone{.outcome = RoundOutcome::kAborted, .reason = aborted->explanation};
  }
  const bool committed = std::holds_alternative<Committed>(phase_);
  return std::visit(
      Overloaded{[&](const AskedToTrain&) -> Duty { return DutyTrain{.deadline = ClosesAt(phase_)}; },
                 [&](const HoldsUpdate&) -> Duty {
                   if (std::holds_alternative<Collecting>(phase_)) return DutyUpload{.deadline = ClosesAt(phase_)};
                   if (OwesStep(store)) return DutyStep{};
                   return DutyWait{};
                 },
                 [&](const GaveUpdate&) -> Duty {
                   if (committed) return DutyDone{.outcome = RoundOutcome::kCommitted, .reason = ""};
                   if (OwesStep(store)) return DutyStep{};
                   return DutyWait{};
                 },
                 [](const LeftBehind&) -> Duty {
                   return DutyDone{.outcome = RoundOutcome::kLeftOut, .reason = "the round went on without this store"};
                 },
                 [](const auto&) -> Duty {  // Refused or failed: told so by the store itself.
                   return DutyDone{.outcome = RoundOutcome::kLeftOut, .reason = "the store gave up this task"};
                 }},
      *seat);
}

void RoundMachine::AbortFromAnyPhase(AbortReason reason, std::string explanation, Effects& effects) {
  Roster roster;
  if (auto* selecting = std::get_if<Selecting>(&phase_)) {
    for (const auto& [store, candidate] : selecting->candidates) effects.push_back(Release{store});
  } else {
    roster = *RosterOf(phase_);
  }
  Abort(std::move(roster), reason, std::move(explanation), effects);
}

void RoundMachine::Abort(Roster roster, AbortReason reason, std::string explanation, Effects& effects) {
  for (const auto& [store, seat] : roster.seats()) {
    effects.push_back(Dismiss{.store = store, .outcome = RoundOutcome::kAborted, .reason = explanation});
  }
  MoveTo(Aborted{.roster = std::move(roster), .reason = reason, .explanation = std::move(explanation)});
  effects.push_back(CloseRound{});
}

void RoundMachine::MoveTo(Phase next) {
  AISLE_CHECK(IsAllowed(NameOfPhase(phase_), NameOfPhase(next)), "no move from {} to {}", NameOf(NameOfPhase(phase_)),
              NameOf(NameOfPhase(next)));
  phase_ = std::move(next);
}

}  // namespace aisle
