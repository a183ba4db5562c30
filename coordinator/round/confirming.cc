// Confirming begins when the masked sum is fixed: from here on nobody joins or leaves it. It listens to the survivors'
// signatures over who survived, and ends when all have signed or its deadline passes. A store reveals shares only if
// enough of its neighbours signed the very same survivors, so headquarters can't tell two stories (Bonawitz et al.
// 2017, figure 4, round 3).
#include "base/cover.h"
#include "coordinator/round/machine.h"
#include "privacy/secagg/statements.h"

namespace aisle {

void RoundMachine::BeginConfirming(Roster roster, DealtCohort sum, std::vector<MemberStatus> statuses, absl::Time now,
                                   Effects& effects) {
  const absl::Time closes_at = now + policy_.sum->summing_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kConfirming, .at = closes_at});
  for (const StoreId& store : roster.StoresWith<GaveUpdate>()) effects.push_back(CallForStep{store});
  for (auto& [position, dealt] : sum.dealt) {
    for (SealedShares& shares : dealt.shares) shares.sealed = {};  // Delivered; the commitments are still needed.
  }
  const Digest survivors = secagg::SurvivorsRoot(statuses);
  MoveTo(Confirming{.closes_at = closes_at,
                    .roster = std::move(roster),
                    .sum = std::move(sum),
                    .statuses = std::move(statuses),
                    .survivors = survivors});
}

Status RoundMachine::CheckConfirmation(const SumStepTaken& event, const Confirmation& confirmation) const {
  const auto* confirming = std::get_if<Confirming>(&phase_);
  if (confirming == nullptr) return NotNow(event);
  AISLE_ASSIGN_OR_RETURN(const uint32_t position, PositionIn(confirming->sum, event));
  if (confirming->statuses[position] != MemberStatus::kSurvived) return NotNow(event);
  if (const auto known = confirming->confirmations.find(position); known != confirming->confirmations.end()) {
    if (known->second.survivors == confirmation.survivors) return OkStatus();  // Said before: nothing changes.
  }
  if (confirmation.survivors != confirming->survivors) {
    return InvalidArgument("{} signs survivors {} in round {}; they are {}", event.store,
                           confirmation.survivors.ShortHex(), id_, confirming->survivors.ShortHex());
  }
  return OkStatus();
}

void RoundMachine::OnConfirmation(Confirming& confirming, const StoreId& store, const Confirmation& confirmation,
                                  absl::Time now, Effects& effects) {
  const uint32_t position = *confirming.sum.cohort->PositionOf(store);
  if (!confirming.confirmations.emplace(position, confirmation).second) return;
  EndIfAllConfirmed(confirming, now, effects);
}

void RoundMachine::EndIfAllConfirmed(Confirming& confirming, absl::Time now, Effects& effects) {
  const size_t heard_of = confirming.confirmations.size() + CountLeft(confirming.roster);
  if (heard_of < CountSurvivors(confirming.statuses)) return;
  for (const auto& [store, seat] : confirming.roster.seats()) {  // Some may have signed and then left.
    if (OwesStep(store)) return;
  }
  Close(confirming, now, effects);
}

void RoundMachine::Close(Confirming& confirming, absl::Time now, Effects& effects) {
  const std::vector<bool> confirmed = FlagsOf(confirming.sum, confirming.confirmations);
  const std::vector<StoreId> lonely = WithTooFewNeighbours(confirming.sum, confirmed);
  if (lonely.empty()) return BeginUnmasking(confirming, now, effects);
  AISLE_COVER("round.aborted_too_few_confirmed");
  std::vector<StoreId> silent;
  for (uint32_t position = 0; position < confirming.statuses.size(); ++position) {
    if (confirming.statuses[position] == MemberStatus::kSurvived && !confirmed[position]) {
      silent.push_back(confirming.sum.cohort->StoreAt(position));
    }
  }
  std::string explanation = fmt::format(
      "{} of {} survivors signed who survived within {} (not: {}); {} had fewer than {} of their neighbours among "
      "them, so "
      "the sum stays masked",
      confirming.confirmations.size(), CountSurvivors(confirming.statuses),
      absl::FormatDuration(policy_.sum->summing_for), NamesOf(silent), NamesOf(lonely),
      confirming.sum.cohort->parameters().threshold);
  Abort(std::move(confirming.roster), AbortReason::kTooFewConfirmed, std::move(explanation), effects);
}

}  // namespace aisle
