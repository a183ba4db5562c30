#include "privacy/accounting/discrete_sum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "privacy/accounting/log_sum.h"

namespace aisle {
namespace {

constexpr int kOrderMax = 1024;

Status Check(const DiscreteGaussianSum& sum) {
  if (!(sum.sigma > 0 && std::isfinite(sum.sigma))) {
    return InvalidArgument("discrete Gaussian noise of {}; it must be finite and over 0", sum.sigma);
  }
  if (!(sum.l2 >= 0 && std::isfinite(sum.l2))) {
    return InvalidArgument("a sensitivity of {}; it must be finite and at least 0", sum.l2);
  }
  if (sum.addends == 0) return InvalidArgument("a sum of 0 noises; there must be at least one");
  if (sum.dimension == 0) return InvalidArgument("a vector of 0 coordinates; there must be at least one");
  return OkStatus();
}

// The epsilon^2 of (epsilon^2 / 2)-concentrated differential privacy.
double Concentrated(const DiscreteGaussianSum& sum) {
  const auto dimension = static_cast<double>(sum.dimension);
  const double spread = sum.sigma * std::sqrt(static_cast<double>(sum.addends));
  const double tau = TauOf(sum.sigma, sum.addends);
  const double ratio = sum.l2 / spread;
  const double l1 = std::min(sum.l2 * sum.l2, sum.l2 * std::sqrt(dimension));
  const double plain = ratio * ratio + tau * dimension / 2;
  const double mixed = ratio * ratio + 2 * l1 * tau / spread + tau * tau * dimension;
  const double straight = ratio + tau * std::sqrt(dimension);
  return std::min({plain, mixed, straight * straight});
}

}  // namespace

double TauOf(double sigma, uint32_t addends) {
  const double full = 2 * std::numbers::pi * std::numbers::pi * sigma * sigma;
  double tau = 0;
  for (uint32_t k = 1; k < addends; ++k) {
    const double term = std::exp(-full * k / (k + 1.0));
    // Terms fall towards exp(-full): when they have arrived there, the rest is at most as much each.
    if (term == 0 || k > 100'000) return 10 * (tau + (addends - k) * term);
    tau += term;
  }
  return 10 * tau;
}

StatusOr<double> RdpOfDiscreteGaussianSum(const DiscreteGaussianSum& sum, double alpha) {
  AISLE_RETURN_IF_ERROR(Check(sum));
  if (!(alpha > 1 && std::isfinite(alpha))) {
    return InvalidArgument("an order of {}; it must be finite and over 1", alpha);
  }
  return alpha / 2 * Concentrated(sum);
}

StatusOr<double> RdpOfSampledDiscreteGaussianSum(double sampling_rate, const DiscreteGaussianSum& sum, int alpha) {
  AISLE_RETURN_IF_ERROR(Check(sum));
  if (!(sampling_rate > 0 && sampling_rate <= 1)) {
    return InvalidArgument("a sampling rate of {}; it must be over 0 and at most 1", sampling_rate);
  }
  if (alpha < 2 || alpha > kOrderMax)
    return InvalidArgument("an order of {}; it must be from 2 to {}", alpha, kOrderMax);
  const double half = Concentrated(sum) / 2;
  const double plain = alpha * half;
  if (sampling_rate == 1) return plain;
  const double log_in = std::log(sampling_rate);
  const double log_out = std::log1p(-sampling_rate);
  double log_moment = (alpha - 1) * log_out + std::log1p((alpha - 1) * sampling_rate);
  for (int j = 2; j <= alpha; ++j) {
    const double log_term = LogBinomial(alpha, j) + j * log_in + (alpha - j) * log_out + (j - 1) * j * half;
    log_moment = LogAdd(log_moment, log_term + (j == 2 ? 0 : std::log(3)));
  }
  return std::min(plain, log_moment / (alpha - 1));
}

}  // namespace aisle
