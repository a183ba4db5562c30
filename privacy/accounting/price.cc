#include "privacy/accounting/price.h"

#include <cmath>

#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/rdp.h"

namespace aisle {

StatusOr<Price> PriceOf(const PriceQuery& query) {
  if (query.rounds == 0) return InvalidArgument("a price for 0 rounds; there must be at least one");
  if (query.stores == 0) return InvalidArgument("a price for 0 stores; there must be at least one");
  const double rounds = query.rounds;
  const double composed = query.noise_multiplier / std::sqrt(rounds);  // k Gaussians are one with z / sqrt(k).
  Price price;
  AISLE_ASSIGN_OR_RETURN(price.floor_epsilon, GaussianEpsilon(composed, query.delta));
  AISLE_ASSIGN_OR_RETURN(price.aggregate_epsilon,
                         GaussianEpsilon(composed * std::sqrt(static_cast<double>(query.stores)), query.delta));
  AISLE_ASSIGN_OR_RETURN(const RdpCurve curve, RdpCurve::Gaussian(query.noise_multiplier));
  price.ledger_epsilon = EpsilonOf(curve * rounds, query.delta).epsilon;
  return price;
}

}  // namespace aisle
