// Sharing begins when the cohort is known: its roster's root fixes who is whose neighbour. It listens to the shares
// that each store deals of its two secrets, and ends when all have dealt or its deadline passes. If too many fell
// silent, a new cohort is formed without them, with fresh keys: no vector has been masked yet, so nothing is lost
// (Bell et al. 2020, figure 2; Bonawitz et al. 2017, figure 4, round 1).
#include "base/cover.h"
#include "coordinator/round/machine.h"
#include "privacy/secagg/layout.h"

namespace aisle {

void RoundMachine::BeginSharing(Roster roster, const Advertising& advertised, absl::Time now, Effects& effects) {
  StatusOr<secagg::Cohort> cohort = secagg::Cohort::Make(TermsOf(id_, policy_, advertised.attempt), advertised.adverts);
  if (!cohort.ok()) {
    AISLE_COVER("round.aborted_no_cohort");
    return Abort(std::move(roster), AbortReason::kTooFewAdvertised,
                 fmt::format("{} stores can't form a cohort of the secure sum: {}", advertised.adverts.size(),
                             MessageOf(cohort.status())),
                 effects);
  }
  const absl::Time closes_at = now + policy_.sum->summing_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kSharing, .at = closes_at});
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) effects.push_back(CallForStep{store});
  MoveTo(Sharing{.closes_at = closes_at,
                 .roster = std::move(roster),
                 .sum = {.cohort = std::make_shared<const secagg::Cohort>(*std::move(cohort)), .dealt = {}}});
}

Status RoundMachine::CheckDealt(const SumStepTaken& event, const DealtShares& dealt) const {
  const auto* sharing = std::get_if<Sharing>(&phase_);
  if (sharing == nullptr) return NotNow(event);
  AISLE_ASSIGN_OR_RETURN(const uint32_t position, PositionIn(sharing->sum, event));
  if (const auto known = sharing->sum.dealt.find(position); known != sharing->sum.dealt.end()) {
    if (known->second == dealt) return OkStatus();  // Said before: nothing changes.
    return FailedPrecondition("{} has already dealt other shares in attempt {} of round {}; shares can't be exchanged",
                              event.store, event.report.attempt, id_);
  }
  if (!std::holds_alternative<HoldsUpdate>(*sharing->roster.Find(event.store))) return NotNow(event);
  return Annotate(sharing->sum.cohort->CheckDealt(position, dealt), event.store.str());
}

void RoundMachine::OnDealt(Sharing& sharing, const StoreId& store, const DealtShares& dealt, absl::Time now,
                           Effects& effects) {
  if (!sharing.sum.dealt.emplace(*sharing.sum.cohort->PositionOf(store), dealt).second) return;
  EndIfAllDealt(sharing, now, effects);
}

// Nobody has its shares yet: it is as if it had never dealt.
void RoundMachine::OnLeft(Sharing& sharing, const StoreId& store, absl::Time now, Effects& effects) {
  if (const auto position = sharing.sum.cohort->PositionOf(store)) sharing.sum.dealt.erase(*position);
  EndIfAllDealt(sharing, now, effects);
}

void RoundMachine::EndIfAllDealt(Sharing& sharing, absl::Time now, Effects& effects) {
  const size_t members = sharing.roster.Count<HoldsUpdate>();
  if (sharing.sum.dealt.size() == members || members < policy_.cohort_min) Close(sharing, now, effects);
}

void RoundMachine::Close(Sharing& sharing, absl::Time now, Effects& effects) {
  Roster roster = std::move(sharing.roster);
  DealtCohort sum = std::move(sharing.sum);
  std::vector<StoreId> silent;
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) {
    if (!sum.dealt.contains(*sum.cohort->PositionOf(store))) silent.push_back(store);
  }
  const bool enough = sum.dealt.size() >= policy_.cohort_min;
  const uint32_t survivors_min = secagg::SurvivorsMin(sum.cohort->terms(), sum.cohort->size());
  const bool confirmable = sum.dealt.size() >= survivors_min;  // Else the stores would mask their vectors for nothing.
  const std::vector<StoreId> lonely = WithTooFewNeighbours(sum, FlagsOf(sum, sum.dealt));
  const uint32_t attempt = sum.cohort->terms().attempt;
  if (enough) LeaveBehind(roster, silent, "it dealt no shares for the secure sum before the deadline", effects);
  if (enough && confirmable && lonely.empty()) return BeginCollecting(std::move(roster), std::move(sum), now, effects);
  if (enough && attempt < policy_.sum->attempts_max) {
    AISLE_COVER("round.cohort_formed_anew");
    return BeginAdvertising(std::move(roster), attempt + 1, now, effects);
  }
  AISLE_COVER("round.aborted_too_few_shared");
  std::string explanation = fmt::format(
      "{} of {} stores dealt shares for the secure sum within {} (silent: {}; refused or failed: {}); {}",
      sum.dealt.size(), sum.cohort->size(), absl::FormatDuration(policy_.sum->summing_for), NamesOf(silent),
      NamesOf(GoneFrom(roster)),
      enough
          ? fmt::format("{} had fewer than {} neighbours that dealt, a cohort of {} needs {} survivors, and this was "
                        "attempt {} of {}",
                        NamesOf(lonely), sum.cohort->parameters().threshold, sum.cohort->size(), survivors_min, attempt,
                        policy_.sum->attempts_max)
          : fmt::format("the plan needs at least {}", policy_.cohort_min));
  Abort(std::move(roster), AbortReason::kTooFewShared, std::move(explanation), effects);
}

}  // namespace aisle
