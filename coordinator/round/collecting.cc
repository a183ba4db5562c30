// Collecting begins when enough stores hold a finished vector; under the secure sum, when they have dealt shares, too:
// then what arrives is masked. It listens to vectors that have arrived whole, verified and durable, folds each once,
// and ends when all are in or its deadline passes. Under the secure sum that fixes who survived.
#include "base/cover.h"
#include "coordinator/round/machine.h"
#include "privacy/secagg/layout.h"

namespace aisle {

void RoundMachine::BeginCollecting(Roster roster, std::optional<DealtCohort> sum, absl::Time now, Effects& effects) {
  const absl::Time closes_at = now + policy_.collecting_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kCollecting, .at = closes_at});
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) effects.push_back(CallForUpdate{store});
  MoveTo(Collecting{.closes_at = closes_at, .roster = std::move(roster), .sum = std::move(sum)});
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
  // A masked vector is named by what it is when it comes; from then on it can't be exchanged.
  const bool masked = policy_.sum && std::holds_alternative<HoldsUpdate>(*seat);
  if (!masked && update->digest != event.digest) {
    return InvalidArgument("{} reported update {} for round {} but sends {}", event.store, update->digest.ShortHex(),
                           id_, event.digest.ShortHex());
  }
  if (std::holds_alternative<GaveUpdate>(*seat)) return OkStatus();  // Came before: nothing changes.
  if (!std::holds_alternative<Collecting>(phase_)) {
    return FailedPrecondition("round {} is {} and takes no updates", id_, NameOf(NameOfPhase(phase_)));
  }
  return OkStatus();
}

void RoundMachine::OnCollected(Collecting& collecting, const UpdateCollected& event, absl::Time now, Effects& effects) {
  const auto* holds = std::get_if<HoldsUpdate>(collecting.roster.Find(event.store));
  if (holds == nullptr) {
    AISLE_COVER("round.update_repeated");
    return;
  }
  const BlobName update{.digest = event.digest, .size = holds->update.size};
  collecting.roster.Set(event.store, GaveUpdate{update});
  effects.push_back(FoldUpdate{.store = event.store, .update = update});
  EndIfAllCollected(collecting, now, effects);
}

void RoundMachine::EndIfAllCollected(Collecting& collecting, absl::Time now, Effects& effects) {
  if (collecting.roster.Count<HoldsUpdate>() == 0) CloseCollecting(collecting, now, effects);
}

void RoundMachine::CloseCollecting(Collecting& collecting, absl::Time now, Effects& effects) {
  std::optional<DealtCohort> sum = std::move(collecting.sum);
  Roster roster = std::move(collecting.roster);
  const size_t have = roster.Count<GaveUpdate>();
  if (have < policy_.cohort_min) {
    AISLE_COVER("round.aborted_too_few_updates");
    std::string explanation = fmt::format("{} updates of {} arrived within {}; the plan needs at least {}", have,
                                          have + roster.Count<HoldsUpdate>(),
                                          absl::FormatDuration(policy_.collecting_for), policy_.cohort_min);
    return Abort(std::move(roster), AbortReason::kTooFewUpdates, std::move(explanation), effects);
  }
  LeaveBehind(roster, roster.StoresWith<HoldsUpdate>(), "its update didn't arrive before the deadline", effects);
  if (sum) return CloseMasked(std::move(roster), *std::move(sum), now, effects);
  BeginCommitting(std::move(roster), nullptr, effects);
}

// The masks of stores that dealt stay in the sum, whether their vectors are in it or not: each one's secret must be
// rebuilt by its surviving neighbours.
void RoundMachine::CloseMasked(Roster roster, DealtCohort sum, absl::Time now, Effects& effects) {
  std::vector<MemberStatus> statuses = StatusesOf(sum, roster);
  const uint32_t survivors_min = secagg::SurvivorsMin(sum.cohort->terms(), sum.cohort->size());
  if (const size_t have = CountSurvivors(statuses); have < survivors_min) {  // The stores would refuse to confirm them.
    AISLE_COVER("round.aborted_too_few_survivors");
    std::string explanation = fmt::format(
        "{} masked updates of a cohort of {} arrived; the stores unmask no sum of fewer than {}, since their ledgers "
        "count on the noise of its honest stores",
        have, sum.cohort->size(), survivors_min);
    return Abort(std::move(roster), AbortReason::kTooFewUpdates, std::move(explanation), effects);
  }
  std::vector<bool> survivors(statuses.size());
  for (size_t i = 0; i < statuses.size(); ++i) survivors[i] = statuses[i] == MemberStatus::kSurvived;
  const std::vector<StoreId> lonely = WithTooFewNeighbours(sum, survivors);
  if (lonely.empty()) return BeginConfirming(std::move(roster), std::move(sum), std::move(statuses), now, effects);
  AISLE_COVER("round.aborted_too_few_neighbours");
  std::string explanation = fmt::format(
      "{} masked updates of {} arrived, but {} had fewer than the {} surviving neighbours that can rebuild its secret; "
      "the plan's dropout share of {} in a thousand was passed where it matters",
      CountSurvivors(statuses), sum.dealt.size(), NamesOf(lonely), sum.cohort->parameters().threshold,
      policy_.sum->dropout_permille);
  Abort(std::move(roster), AbortReason::kTooFewUpdates, std::move(explanation), effects);
}

}  // namespace aisle
