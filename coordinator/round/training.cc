// Training begins when the cohort is chosen. It listens to outcomes (trained, refused, failed) and ends as soon as the
// target has trained, or nobody is left to wait for, or its deadline passes. Stores train first and join the sum later:
// here they only say that the finished vector lies on their own disk.
#include "base/cover.h"
#include "base/reason.h"
#include "coordinator/round/machine.h"

namespace aisle {

void RoundMachine::BeginTraining(Roster roster, absl::Time now, Effects& effects) {
  const absl::Time closes_at = now + policy_.training_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kTraining, .at = closes_at});
  for (const auto& [store, seat] : roster.seats()) effects.push_back(AskToTrain{store});
  MoveTo(Training{.closes_at = closes_at, .roster = std::move(roster)});
}

Status RoundMachine::CheckOutcome(const OutcomeReported& event) const {
  const Roster* roster = RosterOf(phase_);
  const Seat* seat = roster == nullptr ? nullptr : roster->Find(event.store);
  if (seat == nullptr) return NoPart(event.store);
  const auto* trained = std::get_if<Trained>(&event.outcome);
  if (trained != nullptr) {
    if (trained->update.size != policy_.update_size) {
      return WithReason(InvalidArgument("{}'s update for round {} has {} bytes; the plan's vector has {}", event.store,
                                        id_, trained->update.size, policy_.update_size),
                        Reason::kSizeMismatch);
    }
    if (const auto* held = std::get_if<HoldsUpdate>(seat)) {
      if (held->update == trained->update) return OkStatus();  // Said before: nothing changes.
      return FailedPrecondition("{} has already reported another update for round {}; an update can't be exchanged",
                                event.store, id_);
    }
    if (std::holds_alternative<GaveUpdate>(*seat)) return OkStatus();
  } else if (IsSumming(phase_)) {
    return CheckLeaving(event.store, *seat, event.outcome);
  }
  if (!std::holds_alternative<AskedToTrain>(*seat) && !std::holds_alternative<Training>(phase_)) {
    return FailedPrecondition("round {} is {} and goes on without {}", id_, NameOf(NameOfPhase(phase_)), event.store);
  }
  return OkStatus();
}

// Who left, left: what a store says afterwards changes nothing.
bool RoundMachine::IsRepeat(const OutcomeReported& event) const {
  const Roster* roster = RosterOf(phase_);
  const Seat* seat = roster == nullptr ? nullptr : roster->Find(event.store);
  if (seat == nullptr) return false;
  if (std::holds_alternative<Refused>(*seat) || std::holds_alternative<Failed>(*seat)) return true;
  if (std::holds_alternative<Trained>(event.outcome)) return !std::holds_alternative<AskedToTrain>(*seat);
  const auto* gave = std::get_if<GaveUpdate>(seat);
  return gave != nullptr && !gave->left.empty();
}

void RoundMachine::OnOutcome(Training& training, const OutcomeReported& event, absl::Time now, Effects& effects) {
  if (IsRepeat(event)) return;
  if (const auto* trained = std::get_if<Trained>(&event.outcome)) {
    training.roster.Set(event.store, HoldsUpdate{trained->update});
  } else if (const auto* refused = std::get_if<Refused>(&event.outcome)) {
    training.roster.Set(event.store, *refused);
  } else {
    training.roster.Set(event.store, std::get<Failed>(event.outcome));
  }
  const size_t have = training.roster.Count<HoldsUpdate>();
  const size_t pending = training.roster.Count<AskedToTrain>();
  if (have >= policy_.cohort_target || pending == 0 || have + pending < policy_.cohort_min) {
    CloseTraining(training, now, effects);
  }
}

void RoundMachine::CloseTraining(Training& training, absl::Time now, Effects& effects) {
  Roster roster = std::move(training.roster);
  const size_t have = roster.Count<HoldsUpdate>();
  if (have < policy_.cohort_min) {
    AISLE_COVER("round.aborted_too_few_trained");
    std::string explanation =
        fmt::format("{} of {} stores have trained ({} refused, {} failed); the plan needs at least {}", have,
                    roster.size(), roster.Count<Refused>(), roster.Count<Failed>(), policy_.cohort_min);
    return Abort(std::move(roster), AbortReason::kTooFewTrained, std::move(explanation), effects);
  }
  for (const StoreId& store : roster.StoresWith<AskedToTrain>()) {
    roster.Set(store, LeftBehind{});
    effects.push_back(Dismiss{.store = store,
                              .outcome = RoundOutcome::kLeftOut,
                              .reason = "enough other stores finished training first, or the deadline passed"});
  }
  if (policy_.sum) return BeginAdvertising(std::move(roster), 1, now, effects);
  BeginCollecting(std::move(roster), std::nullopt, now, effects);
}

}  // namespace aisle
