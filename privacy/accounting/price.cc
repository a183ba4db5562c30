#include "privacy/accounting/price.h"

#include <algorithm>
#include <cmath>

#include "privacy/accounting/calibrate.h"

namespace aisle {
namespace {

struct Figures {
  double ledger = 0;
  double tight = 0;
};

StatusOr<Figures> FiguresOf(const PriceQuery& query, double noise_multiplier) {
  const Releases releases{.noise_multiplier = noise_multiplier,
                          .sampling_rate = query.sampling_rate,
                          .steps = uint64_t{query.rounds} * query.steps};
  Figures figures;
  AISLE_ASSIGN_OR_RETURN(figures.ledger, EpsilonOf(releases, query.delta, Accountant::kRdp));
  const Accountant tight = query.sampling_rate == 1 ? Accountant::kExact : Accountant::kPld;
  AISLE_ASSIGN_OR_RETURN(figures.tight, EpsilonOf(releases, query.delta, tight));
  figures.tight = std::min(figures.tight, figures.ledger);
  return figures;
}

}  // namespace

StatusOr<Price> PriceOf(const PriceQuery& query) {
  if (query.rounds == 0) return InvalidArgument("a price for 0 rounds; there must be at least one");
  if (query.stores == 0) return InvalidArgument("a price for 0 stores; there must be at least one");
  if (query.steps == 0) return InvalidArgument("a price for 0 steps a round; there must be at least one");
  AISLE_ASSIGN_OR_RETURN(const Figures floor, FiguresOf(query, query.noise_multiplier));
  Figures aggregate = floor;
  if (query.has_aggregate && query.stores > 1) {
    const double together = query.noise_multiplier * std::sqrt(static_cast<double>(query.stores));
    AISLE_ASSIGN_OR_RETURN(aggregate, FiguresOf(query, together));
  }
  return Price{.ledger_epsilon = floor.ledger,
               .floor_epsilon = floor.tight,
               .aggregate_ledger_epsilon = aggregate.ledger,
               .aggregate_epsilon = aggregate.tight};
}

PriceQuery PriceQueryOf(const PrivacyContract& contract, uint32_t rounds, uint32_t stores) {
  return {.noise_multiplier = contract.noise_multiplier,
          .rounds = rounds,
          .delta = contract.delta,
          .stores = stores,
          .sampling_rate = contract.sampling_rate,
          .steps = contract.steps,
          .has_aggregate = contract.mode != PrivacyMode::kLocalSgd};
}

double NoiseOfMean(const PrivacyContract& contract, uint32_t stores) {
  const double noise = contract.noise_multiplier * contract.clip_norm;
  if (contract.mode == PrivacyMode::kLocalSgd) return noise / (contract.sampling_rate * contract.customers_per_store);
  PrivacyContract fleet = contract;
  fleet.cohort_target = stores;
  return noise * std::sqrt(static_cast<double>(stores)) / fleet.divisor();
}

}  // namespace aisle
