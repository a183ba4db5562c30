#include "coordinator/round/turn.h"

#include <algorithm>

#include "base/codec.h"

namespace aisle {

Rank RankOf(uint64_t seed, const StoreId& store, const Candidate& candidate) {
  return {.rounds_joined = candidate.rounds_joined,
          .lot = Sha256::Of(ByteWriter().String("aisle/selection/v1").U64(seed).String(store.str()).bytes())};
}

Turn TurnOf(std::vector<uint64_t> joined, size_t wanted) {
  if (wanted == 0 || joined.size() <= wanted) return {};
  const auto last = joined.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::ranges::nth_element(joined, last);
  const uint64_t joined_max = *last;
  const auto fewer = std::ranges::count_if(joined, [&](uint64_t rounds) { return rounds < joined_max; });
  return {.joined_max = joined_max, .first = static_cast<uint32_t>(fewer)};
}

}  // namespace aisle
