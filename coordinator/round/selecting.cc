// Selecting begins when the round opens. It listens to stores that offer themselves, and ends as soon as enough have
// whose turn it is; or, when enough have but others should go first, a moment later; or when its deadline passes.
// Then the cohort is taken from those who served least, ties broken by the round's seed.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/cover.h"
#include "coordinator/round/machine.h"

namespace aisle {

void RoundMachine::OnOffered(Selecting& selecting, const StoreOffered& event, absl::Time now, Effects& effects) {
  if (!selecting.candidates.emplace(event.store, event.candidate).second) return;
  if (selecting.candidates.size() < policy_.selection_wanted) return;
  if (IsFair(selecting)) return CloseSelection(selecting, now, effects);
  if (selecting.candidates.size() > policy_.selection_wanted) return;
  AISLE_COVER("round.waits_whose_turn_it_is");
  selecting.closes_at = std::min(selecting.closes_at, now + policy_.turn_wait);
  effects.push_back(SetDeadline{.phase = PhaseName::kSelecting, .at = selecting.closes_at});
}

bool RoundMachine::IsFair(const Selecting& selecting) const {
  if (policy_.turn_wait <= absl::ZeroDuration()) return true;
  size_t in_turn = 0;
  size_t first = 0;
  for (const auto& [store, candidate] : selecting.candidates) {
    in_turn += candidate.rounds_joined <= policy_.turn.joined_max ? 1 : 0;
    first += candidate.rounds_joined < policy_.turn.joined_max ? 1 : 0;
  }
  return in_turn >= policy_.selection_wanted && first >= policy_.turn.first;
}

bool RoundMachine::Wants(const Candidate& candidate) const {
  const auto* selecting = std::get_if<Selecting>(&phase_);
  if (selecting == nullptr) return false;
  return selecting->candidates.size() < policy_.selection_wanted ||
         std::ranges::any_of(selecting->candidates, [&](const auto& other) { return candidate < other.second; });
}

void RoundMachine::CloseSelection(Selecting& selecting, absl::Time now, Effects& effects) {
  if (selecting.candidates.size() < policy_.cohort_min) {
    AISLE_COVER("round.aborted_too_few_stores");
    return AbortFromAnyPhase(
        AbortReason::kTooFewStores,
        fmt::format("{} stores offered themselves within {}; the plan needs at least {}", selecting.candidates.size(),
                    absl::FormatDuration(policy_.selecting_for), policy_.cohort_min),
        effects);
  }
  std::vector<std::pair<Rank, StoreId>> ranked;
  for (const auto& [store, candidate] : selecting.candidates) ranked.emplace_back(RankFor(store, candidate), store);
  std::ranges::sort(ranked);
  Roster roster;
  for (size_t i = 0; i < ranked.size(); ++i) {
    const StoreId& store = ranked[i].second;
    if (i < policy_.selection_wanted)
      roster.Add(store);
    else
      effects.push_back(Release{store});
  }
  BeginTraining(std::move(roster), now, effects);
}

}  // namespace aisle
