// Collecting begins when enough stores hold a finished vector. It listens to vectors that have arrived whole, verified
// and durable, folds each once, and ends when all are in or its deadline passes.
#include "base/cover.h"
#include "coordinator/round/machine.h"

namespace aisle {

void RoundMachine::BeginCollecting(Roster roster, absl::Time now, Effects& effects) {
  const absl::Time closes_at = now + policy_.collecting_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kCollecting, .at = closes_at});
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) effects.push_back(CallForUpdate{store});
  MoveTo(Collecting{.closes_at = closes_at, .roster = std::move(roster)});
}

Status RoundMachine::CheckUpdate(const UpdateCollected& event) const {
  const Roster* roster = RosterOf(phase_);
  const Seat* seat = roster == nullptr ? nullptr : roster->Find(event.store);
  if (seat == nullptr) return NoPart(event.store);
  const BlobName* update = nullptr;
  if (const auto* gave = std::get_if<GaveUpdate>(seat)) update = &gave->update;
  if (const auto* holds = std::get_if<HoldsUpdate>(seat)) update = &holds->update;
  if (update == nullptr) {
    return FailedPrecondition("{} has not reported a finished update for round {}", event.store, id_);
  }
  if (update->digest != event.digest) {
    return InvalidArgument("{} reported update {} for round {} but sends {}", event.store, update->digest.ShortHex(),
                           id_, event.digest.ShortHex());
  }
  if (std::holds_alternative<GaveUpdate>(*seat)) return OkStatus();  // Came before: nothing changes.
  if (!std::holds_alternative<Collecting>(phase_)) {
    return FailedPrecondition("round {} is {} and takes no updates", id_, NameOf(NameOfPhase(phase_)));
  }
  return OkStatus();
}

void RoundMachine::OnCollected(Collecting& collecting, const UpdateCollected& event, Effects& effects) {
  const auto* holds = std::get_if<HoldsUpdate>(collecting.roster.Find(event.store));
  if (holds == nullptr) {
    AISLE_COVER("round.update_repeated");
    return;
  }
  const BlobName update = holds->update;
  collecting.roster.Set(event.store, GaveUpdate{update});
  effects.push_back(FoldUpdate{.store = event.store, .update = update});
  if (collecting.roster.Count<HoldsUpdate>() == 0) CloseCollecting(collecting, effects);
}

void RoundMachine::CloseCollecting(Collecting& collecting, Effects& effects) {
  Roster roster = std::move(collecting.roster);
  const size_t have = roster.Count<GaveUpdate>();
  if (have < policy_.cohort_min) {
    AISLE_COVER("round.aborted_too_few_updates");
    std::string explanation = fmt::format("{} updates of {} arrived within {}; the plan needs at least {}", have,
                                          have + roster.Count<HoldsUpdate>(),
                                          absl::FormatDuration(policy_.collecting_for), policy_.cohort_min);
    return Abort(std::move(roster), AbortReason::kTooFewUpdates, std::move(explanation), effects);
  }
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) {
    roster.Set(store, LeftBehind{});
    effects.push_back(Dismiss{
        .store = store, .outcome = RoundOutcome::kLeftOut, .reason = "its update didn't arrive before the deadline"});
  }
  BeginCommitting(std::move(roster), effects);
}

}  // namespace aisle
