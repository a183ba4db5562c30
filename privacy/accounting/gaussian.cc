#include "privacy/accounting/gaussian.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace aisle {
namespace {

// log(Phi(x)), Phi the standard normal distribution function.
double LogNormalCdf(double x) { return LogErfc(-x * std::numbers::sqrt2 / 2) - std::numbers::ln2; }

// The smallest x in [0, infinity) with `fits(x)`, for a predicate that turns true once and stays so; the answer is on
// the true side.
template <typename Predicate>
double SmallestFitting(Predicate fits) {
  if (fits(0.0)) return 0;
  double high = 1;
  while (!fits(high)) high *= 2;
  double low = 0;
  while (high - low > 1e-10 * high) {
    const double middle = low + (high - low) / 2;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

double LogErfc(double x) {
  if (x < 10) return std::log(std::erfc(x));
  // Abramowitz and Stegun 7.1.23: erfc(x) = exp(-x^2) / (x sqrt(pi)) * (1 - 1/(2x^2) + 1*3/(2x^2)^2 - ...). At x >= 10
  // eight terms leave under 1e-13.
  const double square = 2 * x * x;
  double term = 1;
  double series = 1;
  for (int n = 1; n <= 8; ++n) {
    term *= -(2 * n - 1) / square;
    series += term;
  }
  return -x * x - std::log(x) - 0.5 * std::log(std::numbers::pi) + std::log(series);
}

double GaussianDelta(double epsilon, double noise_multiplier) {
  AISLE_CHECK(epsilon >= 0 && noise_multiplier > 0, "epsilon {}, noise multiplier {}", epsilon, noise_multiplier);
  const double half = 1 / (2 * noise_multiplier);
  const double shift = epsilon * noise_multiplier;
  const double delta = std::exp(LogNormalCdf(half - shift)) - std::exp(epsilon + LogNormalCdf(-half - shift));
  return delta > 0 ? delta : 0;
}

StatusOr<double> GaussianEpsilon(double noise_multiplier, double delta) {
  if (!(noise_multiplier > 0 && std::isfinite(noise_multiplier))) {
    return InvalidArgument("a noise multiplier of {}; it must be finite and over 0", noise_multiplier);
  }
  if (!(delta > 0 && delta < 1)) return InvalidArgument("a delta of {}; it must be over 0 and under 1", delta);
  return SmallestFitting([&](double epsilon) { return GaussianDelta(epsilon, noise_multiplier) <= delta; });
}

StatusOr<double> GaussianNoiseMultiplier(double epsilon, double delta, double releases) {
  if (!(epsilon > 0 && std::isfinite(epsilon))) {
    return InvalidArgument("an epsilon of {}; it must be finite and over 0", epsilon);
  }
  if (!(delta > 0 && delta < 1)) return InvalidArgument("a delta of {}; it must be over 0 and under 1", delta);
  if (!(releases >= 1 && std::isfinite(releases))) {
    return InvalidArgument("{} releases; there must be at least one", releases);
  }
  const double single = SmallestFitting([&](double z) { return z > 0 && GaussianDelta(epsilon, z) <= delta; });
  return single * std::sqrt(releases);
}

}  // namespace aisle
