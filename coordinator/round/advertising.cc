// Advertising begins when enough stores hold a finished vector, or when a cohort has to be formed anew. It listens to
// the stores' keys for this attempt, and ends when all have shown theirs or its deadline passes: those who did are the
// cohort (Bell et al. 2020, figure 2; Bonawitz et al. 2017, figure 4, round 0).
#include "base/cover.h"
#include "coordinator/round/machine.h"
#include "privacy/secagg/statements.h"

namespace aisle {

void RoundMachine::BeginAdvertising(Roster roster, uint32_t attempt, absl::Time now, Effects& effects) {
  const absl::Time closes_at = now + policy_.sum->summing_for;
  effects.push_back(SetDeadline{.phase = PhaseName::kAdvertising, .at = closes_at});
  for (const StoreId& store : roster.StoresWith<HoldsUpdate>()) effects.push_back(CallForStep{store});
  MoveTo(Advertising{.closes_at = closes_at, .roster = std::move(roster), .attempt = attempt});
}

Status RoundMachine::CheckAdvert(const SumStepTaken& event, const Advert& advert) const {
  const auto* advertising = std::get_if<Advertising>(&phase_);
  if (advertising == nullptr || advertising->attempt != event.report.attempt) return NotNow(event);
  if (const auto known = advertising->adverts.find(event.store); known != advertising->adverts.end()) {
    if (known->second == advert) return OkStatus();  // Said before: nothing changes.
    return FailedPrecondition("{} has already shown other keys for attempt {} of round {}; keys can't be exchanged",
                              event.store, advertising->attempt, id_);
  }
  if (!std::holds_alternative<HoldsUpdate>(*advertising->roster.Find(event.store))) return NotNow(event);
  if (advert.store != event.store) {
    return InvalidArgument("{} shows an advert in the name of {}", event.store, advert.store);
  }
  if (advert.terms != secagg::DigestOf(TermsOf(id_, policy_, advertising->attempt))) {
    return InvalidArgument(
        "{} understands attempt {} of round {} otherwise: its plan, vector length, smallest cohort or "
        "assumptions differ from headquarters'",
        event.store, advertising->attempt, id_);
  }
  if (advert.channel_key == advert.mask_key || advertising->keys.contains(advert.channel_key) ||
      advertising->keys.contains(advert.mask_key)) {
    return InvalidArgument("{} shows a key that is in use; every store draws its own two keys afresh", event.store);
  }
  return OkStatus();
}

void RoundMachine::OnAdvert(Advertising& advertising, const StoreId& store, const Advert& advert, absl::Time now,
                            Effects& effects) {
  if (!advertising.adverts.emplace(store, advert).second) return;
  advertising.keys.insert({advert.channel_key, advert.mask_key});
  EndIfAllAdvertised(advertising, now, effects);
}

// Its keys stay known, so that nobody else can show them.
void RoundMachine::OnLeft(Advertising& advertising, const StoreId& store, absl::Time now, Effects& effects) {
  advertising.adverts.erase(store);
  EndIfAllAdvertised(advertising, now, effects);
}

void RoundMachine::EndIfAllAdvertised(Advertising& advertising, absl::Time now, Effects& effects) {
  const size_t members = advertising.roster.Count<HoldsUpdate>();
  if (advertising.adverts.size() == members || members < policy_.cohort_min) Close(advertising, now, effects);
}

void RoundMachine::Close(Advertising& advertising, absl::Time now, Effects& effects) {
  std::vector<StoreId> silent;
  for (const StoreId& store : advertising.roster.StoresWith<HoldsUpdate>()) {
    if (!advertising.adverts.contains(store)) silent.push_back(store);
  }
  if (advertising.adverts.size() < policy_.cohort_min) {
    AISLE_COVER("round.aborted_too_few_advertised");
    std::string explanation = fmt::format(
        "{} stores showed their keys for the secure sum within {} (silent: {}; refused or failed: {}); the "
        "plan needs at least {}",
        advertising.adverts.size(), absl::FormatDuration(policy_.sum->summing_for), NamesOf(silent),
        NamesOf(GoneFrom(advertising.roster)), policy_.cohort_min);
    return Abort(std::move(advertising.roster), AbortReason::kTooFewAdvertised, std::move(explanation), effects);
  }
  Roster roster = std::move(advertising.roster);
  LeaveBehind(roster, silent, "it didn't show its keys for the secure sum before the deadline", effects);
  BeginSharing(std::move(roster), advertising, now, effects);
}

}  // namespace aisle
