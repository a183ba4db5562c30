#include "privacy/accounting/laplace.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aisle {

double RdpOfLaplace(double scale, double alpha) {
  AISLE_CHECK(scale > 0 && alpha > 1 && std::isfinite(alpha), "scale {}, alpha {}", scale, alpha);
  // log(alpha / (2 alpha - 1) exp((alpha - 1) / b) + (alpha - 1) / (2 alpha - 1) exp(-alpha / b)) / (alpha - 1), with
  // the larger exponential taken out.
  const double share = alpha / (2 * alpha - 1);
  const double rest = (1 - share) * std::expm1(-(2 * alpha - 1) / scale);
  return std::max(0.0, 1 / scale + std::log1p(rest) / (alpha - 1));
}

double LaplaceDelta(double epsilon, double scale) {
  AISLE_CHECK(epsilon >= 0 && scale > 0, "epsilon {}, scale {}", epsilon, scale);
  return std::max(0.0, -std::expm1((epsilon - 1 / scale) / 2));
}

StatusOr<double> LaplaceEpsilon(double scale, double delta) {
  if (!(scale > 0 && std::isfinite(scale))) {
    return InvalidArgument("a Laplace scale of {}; it must be finite and over 0", scale);
  }
  if (!(delta >= 0 && delta < 1)) return InvalidArgument("a delta of {}; it must be at least 0 and under 1", delta);
  return std::max(0.0, 1 / scale + 2 * std::log1p(-delta));
}

}  // namespace aisle
