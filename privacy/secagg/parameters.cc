#include "privacy/secagg/parameters.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "privacy/secagg/upper_bound.h"

namespace aisle::secagg {
namespace {

constexpr int kSecrecyBitsPerEvent = 41;  // Two events, 2^-40 together.
constexpr int kCorrectnessBits = 20;
constexpr uint64_t kMillion = 1'000'000;

// What is assumed of the cohort, in stores.
struct Counts {
  uint64_t stores;
  uint64_t colluders;
  uint64_t dropouts;
  AdversaryRule rule;
};

bool IsShare(double share) { return share >= 0 && share < 1; }  // False for NaN.
uint64_t Millionths(double share) { return static_cast<uint64_t>(std::llround(share * static_cast<double>(kMillion))); }

Counts CountsOf(uint64_t stores, const SumAssumptions& assumptions) {
  const uint64_t corrupt = Millionths(assumptions.corrupt_share) * stores;
  const uint64_t dropout = Millionths(assumptions.dropout_share) * stores;
  return {.stores = stores,
          .colluders = std::max<uint64_t>(1, (corrupt + kMillion - 1) / kMillion),
          .dropouts = dropout / kMillion,
          .rule = assumptions.rule};
}

// The expected number of stores with more than `few` of the `marked` stores among their neighbours bounds the
// probability that there is any. Returns the smallest `few` for which it is at most 2^-bits.
//
// Neighbours are `degree` of the stores - 1 others, at random: hypergeometric. The tail is added up from its far end.
uint64_t MostAmongNeighbours(uint64_t stores, uint64_t marked, uint64_t degree, int bits) {
  const uint64_t others = stores - 1;
  const uint64_t most = std::min(marked, degree);
  UpperBound term(stores);  // stores * P[exactly `count` are marked], starting with `most`.
  for (uint64_t i = 0; i < most; ++i) term.MultiplyBy(std::max(marked, degree) - i, others - i);
  UpperBound tail(0);
  for (uint64_t count = most; count > 0; --count) {
    tail += term;
    if (!tail.IsAtMostTwoToMinus(bits)) return count;
    const uint64_t unmarked_others = others - marked;
    if (unmarked_others + count <= degree) return count;  // Fewer can't be.
    term.MultiplyBy(count * (unmarked_others + count - degree), (marked - count + 1) * (degree - count + 1));
  }
  return 0;
}

// Whether the honest survivors hang together: see event 1. A gap of degree / 2 bad stores can begin at any store, a
// second one at any of stores - degree - 1 places; a pair of them asks for `degree` particular stores to be bad.
bool StaysConnected(const Counts& counts, uint64_t degree) {
  const uint64_t bad = counts.colluders + counts.dropouts;
  if (degree > bad) return true;
  UpperBound pairs(counts.stores);
  pairs.MultiplyBy(counts.stores - degree - 1, 2);
  for (uint64_t i = 0; i < degree; ++i) pairs.MultiplyBy(bad - i, counts.stores - i);
  return pairs.IsAtMostTwoToMinus(kSecrecyBitsPerEvent);
}

// The smallest threshold that protects a store with `colluders` of them among its neighbours.
uint64_t SecureThreshold(AdversaryRule rule, uint64_t degree, uint64_t colluders) {
  const uint64_t threshold = rule == AdversaryRule::kMalicious ? (degree + colluders) / 2 + 1 : colluders + 1;
  return std::max<uint64_t>(2, threshold);
}

std::optional<SumParameters> IfReached(uint64_t degree, uint64_t threshold, uint64_t dropouts) {
  if (dropouts + threshold > degree) return std::nullopt;
  return SumParameters{.degree = static_cast<uint32_t>(degree), .threshold = static_cast<uint32_t>(threshold)};
}

std::optional<SumParameters> OnSparseGraph(const Counts& counts, uint64_t degree) {
  if (!StaysConnected(counts, degree)) return std::nullopt;
  const uint64_t colluders = MostAmongNeighbours(counts.stores, counts.colluders, degree, kSecrecyBitsPerEvent);
  const uint64_t dropouts = MostAmongNeighbours(counts.stores, counts.dropouts, degree, kCorrectnessBits);
  return IfReached(degree, SecureThreshold(counts.rule, degree, colluders), dropouts);
}

std::optional<SumParameters> OnCompleteGraph(const Counts& counts) {
  const uint64_t degree = counts.stores - 1;
  return IfReached(degree, SecureThreshold(counts.rule, degree, std::min(counts.colluders, degree)), counts.dropouts);
}

}  // namespace

StatusOr<SumParameters> FindParameters(uint32_t cohort_size, const SumAssumptions& assumptions) {
  if (!IsShare(assumptions.corrupt_share) || !IsShare(assumptions.dropout_share)) {
    return InvalidArgument("the shares of colluding stores ({}) and of drop-outs ({}) must be at least 0 and below 1",
                           assumptions.corrupt_share, assumptions.dropout_share);
  }
  if (cohort_size > kCohortSizeMax) {
    return InvalidArgument("a cohort of {} stores is over the limit of {}", cohort_size, kCohortSizeMax);
  }
  if (cohort_size < 3) {
    return FailedPrecondition(
        "a secure sum over {} stores hides nothing: with one of them colluding, the sum is the "
        "other's own vector; it takes at least 3",
        cohort_size);
  }
  const Counts counts = CountsOf(cohort_size, assumptions);
  if (cohort_size > kCompleteGraphMax && counts.colluders + counts.dropouts < counts.stores) {
    for (uint64_t degree = 2; degree < counts.stores - 1; degree += 2) {
      if (const auto found = OnSparseGraph(counts, degree)) return *found;
    }
  }
  if (const auto found = OnCompleteGraph(counts)) return *found;
  return FailedPrecondition(
      "no threshold both protects {} stores of which {} collude and survives {} drop-outs: assume fewer of either, or "
      "gather a larger cohort",
      counts.stores, counts.colluders, counts.dropouts);
}

}  // namespace aisle::secagg
