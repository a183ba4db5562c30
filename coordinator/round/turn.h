// Whose turn it is to be selected: who served least goes first, ties are drawn by lot. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"

namespace aisle {

// What fairness needs to know of a store that offered itself.
struct Candidate {
  uint64_t rounds_joined = 0;  // Rounds it was selected for before, over all jobs.
  auto operator<=>(const Candidate&) const = default;
};

// The lower goes first.
struct Rank {
  uint64_t rounds_joined = 0;
  Digest lot;  // Nobody can steer it: a store can't choose the round's seed, the seed's owner can't choose a digest.
  auto operator<=>(const Rank&) const = default;
};
Rank RankOf(uint64_t seed, const StoreId& store, const Candidate& candidate);

// Who should be in a round, judged by the stores that may come to it.
struct Turn {
  uint64_t joined_max = UINT64_MAX;  // It is the turn of stores that joined at most so many rounds before.
  uint32_t first = 0;                // Of these, so many joined fewer than that: none of them should be missing.
  auto operator<=>(const Turn&) const = default;
};
// `joined`: the rounds joined before by each store that may come. While no more may come than are `wanted`, it is
// everybody's turn.
Turn TurnOf(std::vector<uint64_t> joined, size_t wanted);

}  // namespace aisle
