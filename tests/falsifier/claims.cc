#include "tests/falsifier/claims.h"

#include <cmath>

#include "base/check.h"
#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/pld.h"

namespace aisle {
namespace {

// The smallest delta at which the curve's epsilon is at most `epsilon`.
double DeltaOf(const RdpCurve& curve, double epsilon) {
  double low = std::log(1e-12);
  double high = std::log(1 - 1e-9);
  if (EpsilonOf(curve, std::exp(high)).epsilon > epsilon) return 1;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (EpsilonOf(curve, std::exp(middle)).epsilon > epsilon ? low : high) = middle;
  }
  return std::exp(high);
}

}  // namespace

Claim GaussianClaim(double noise_multiplier) {
  return Claim([&](double epsilon) { return GaussianDelta(epsilon, noise_multiplier); });
}

Claim RenyiClaim(const RdpCurve& curve) {
  return Claim([&](double epsilon) { return DeltaOf(curve, epsilon); });
}

Claim BookedClaim(const Debit& debit, Tier tier) { return RenyiClaim(CurveOf(ChargeOf(debit, tier))); }

Claim LossClaim(double sampling_rate, double noise_multiplier, uint64_t count) {
  PldAccountant accountant;
  const Status added = accountant.Add(SampledGaussian{sampling_rate, noise_multiplier}, count);
  AISLE_CHECK(added.ok(), "{}", MessageOf(added));
  return Claim([&](double epsilon) { return accountant.Delta(epsilon).value(); });
}

Claim DiscreteGaussianClaim(int64_t sigma, int64_t sensitivity) {
  const auto weight = [&](int64_t x) {
    return std::exp(-0.5 * std::pow(static_cast<double>(x) / static_cast<double>(sigma), 2));
  };
  const int64_t reach = 14 * sigma + sensitivity;
  double total = 0;
  for (int64_t x = -reach; x <= reach; ++x) total += weight(x);
  return Claim([&, total](double epsilon) {
    double delta = 0;
    for (int64_t x = -reach; x <= reach; ++x) {
      delta += std::max(0.0, weight(x - sensitivity) - std::exp(epsilon) * weight(x));
    }
    return delta / total;
  });
}

}  // namespace aisle
