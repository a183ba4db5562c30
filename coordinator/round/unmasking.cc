// Unmasking begins when enough survivors have signed who survived. It listens to the shares that they reveal, of the
// seed of each neighbour that survived and of the mask key of each that dropped out, never of both; and ends as soon
// as every secret that is needed can be rebuilt, or its deadline passes (Bell et al. 2020, figure 2; Bonawitz et al.
// 2017, figure 4, round 4).
#include "base/cover.h"
#include "coordinator/round/machine.h"

namespace aisle {

void RoundMachine::BeginUnmasking(Confirming& confirmed, absl::Time now, Effects& effects) {
  const absl::Time closes_at = now + policy_.sum->summing_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kUnmasking, .at = closes_at});
  for (const auto& [position, confirmation] : confirmed.confirmations) {
    effects.push_back(CallForStep{confirmed.sum.cohort->StoreAt(position)});
  }
  Unmasking unmasking{.closes_at = closes_at,
                      .roster = std::move(confirmed.roster),
                      .sum = std::move(confirmed.sum),
                      .statuses = std::move(confirmed.statuses),
                      .survivors = confirmed.survivors,
                      .confirmations = std::move(confirmed.confirmations)};
  unmasking.shares_of.resize(unmasking.statuses.size());
  unmasking.secrets_missing = unmasking.sum.dealt.size();
  MoveTo(std::move(unmasking));
}

Status RoundMachine::CheckRevealed(const SumStepTaken& event, const RevealedShares& revealed) const {
  const auto* unmasking = std::get_if<Unmasking>(&phase_);
  if (unmasking == nullptr) return NotNow(event);
  AISLE_ASSIGN_OR_RETURN(const uint32_t position, PositionIn(unmasking->sum, event));
  if (!unmasking->confirmations.contains(position)) return NotNow(event);
  if (const auto known = unmasking->revealed.find(position); known != unmasking->revealed.end()) {
    if (known->second == revealed) return OkStatus();  // Said before: nothing changes.
    return FailedPrecondition("{} has already revealed other shares in round {}", event.store, id_);
  }
  return Annotate(unmasking->sum.cohort->CheckRevealed(position, unmasking->statuses, unmasking->sum.dealt, revealed),
                  event.store.str());
}

void RoundMachine::OnRevealed(Unmasking& unmasking, const StoreId& store, const RevealedShares& revealed,
                              Effects& effects) {
  if (!unmasking.revealed.emplace(*unmasking.sum.cohort->PositionOf(store), revealed).second) return;
  const uint32_t threshold = unmasking.sum.cohort->parameters().threshold;
  for (const RevealedShare& share : revealed.shares) {
    if (++unmasking.shares_of[share.of] == threshold) --unmasking.secrets_missing;
  }
  EndIfEnoughRevealed(unmasking, effects);
}

void RoundMachine::EndIfEnoughRevealed(Unmasking& unmasking, Effects& effects) {
  if (unmasking.secrets_missing > 0) {
    if (unmasking.revealed.size() + CountLeft(unmasking.roster) < unmasking.confirmations.size()) return;
    for (const auto& [position, confirmation] : unmasking.confirmations) {
      if (OwesStep(unmasking.sum.cohort->StoreAt(position))) return;
    }
  }
  Close(unmasking, effects);
}

// Holders that left a dealer's shares out say that what it dealt to them was wrong. Each of them may be the one that
// lies, but not more than can collude: from then on it is the dealer.
std::string RoundMachine::NameWrongDealers(Unmasking& unmasking, Effects& effects) const {
  const secagg::Cohort& cohort = *unmasking.sum.cohort;
  std::string named;
  for (const auto& [dealer, holders] : cohort.WithoutSharesOf(unmasking.sum.dealt, unmasking.revealed)) {
    const StoreId& store = cohort.StoreAt(dealer);
    const std::string why = fmt::format("what it dealt to {} of its {} neighbours was wrong, as they say", holders,
                                        cohort.parameters().degree);
    named += fmt::format("{}{}: {}", named.empty() ? "" : "; ", store, why);
    AISLE_COVER("round.wrong_dealer_named");
    const auto* gave = std::get_if<GaveUpdate>(unmasking.roster.Find(store));
    if (gave != nullptr && gave->left.empty()) {
      unmasking.roster.Set(store, GaveUpdate{.update = gave->update, .left = "share_wrong: " + why});
    }
    if (holders > cohort.colluding_neighbours_max()) effects.push_back(Distrust{.store = store, .why = why});
  }
  return named;
}

void RoundMachine::Close(Unmasking& unmasking, Effects& effects) {
  const std::string wrong_dealers = NameWrongDealers(unmasking, effects);
  if (unmasking.secrets_missing == 0) {
    auto transcript = std::make_shared<secagg::Transcript>();
    transcript->cohort = unmasking.sum.cohort;
    transcript->dealt = std::move(unmasking.sum.dealt);
    transcript->statuses = std::move(unmasking.statuses);
    transcript->revealed = std::move(unmasking.revealed);
    return BeginCommitting(std::move(unmasking.roster), std::move(transcript), effects);
  }
  AISLE_COVER("round.aborted_too_few_revealed");
  std::vector<StoreId> silent;
  for (const auto& [position, confirmation] : unmasking.confirmations) {
    if (!unmasking.revealed.contains(position)) silent.push_back(unmasking.sum.cohort->StoreAt(position));
  }
  std::string explanation = fmt::format(
      "{} of {} stores revealed shares within {} (not: {}); the secrets of {} stores have fewer than the {} shares "
      "that "
      "rebuild one, so the sum stays masked{}{}",
      unmasking.revealed.size(), unmasking.confirmations.size(), absl::FormatDuration(policy_.sum->summing_for),
      NamesOf(silent), unmasking.secrets_missing, unmasking.sum.cohort->parameters().threshold,
      wrong_dealers.empty() ? "" : ". ", wrong_dealers);
  Abort(std::move(unmasking.roster), AbortReason::kTooFewRevealed, std::move(explanation), effects);
}

}  // namespace aisle
