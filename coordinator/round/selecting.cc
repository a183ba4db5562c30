// Selecting begins when the round opens. It listens to stores that offer themselves, and ends when enough have or when
// its deadline passes. The cohort is taken from those who served least (fairness), ties broken by the round's seed.
#include <algorithm>
#include <tuple>

#include "base/codec.h"
#include "base/cover.h"
#include "base/digest.h"
#include "coordinator/round/machine.h"

namespace aisle {
namespace {

// A rank that nobody can steer: the store can't choose the round's seed, the seed's owner can't choose the digest.
Digest Lot(uint64_t seed, const StoreId& store) {
  return Sha256::Of(ByteWriter().String("aisle/selection/v1").U64(seed).String(store.str()).bytes());
}

}  // namespace

void RoundMachine::OnOffered(Selecting& selecting, const StoreOffered& event, absl::Time now, Effects& effects) {
  selecting.candidates.emplace(event.store, event.candidate);
  if (selecting.candidates.size() >= policy_.selection_wanted) CloseSelection(selecting, now, effects);
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
  std::vector<std::tuple<uint64_t, Digest, StoreId>> ranked;
  for (const auto& [store, candidate] : selecting.candidates) {
    ranked.emplace_back(candidate.rounds_joined, Lot(seed_, store), store);
  }
  std::ranges::sort(ranked);
  Roster roster;
  for (size_t i = 0; i < ranked.size(); ++i) {
    const StoreId& store = std::get<StoreId>(ranked[i]);
    if (i < policy_.selection_wanted)
      roster.Add(store);
    else
      effects.push_back(Release{store});
  }
  BeginTraining(std::move(roster), now, effects);
}

}  // namespace aisle
