#include "privacy/accounting/fixed_size.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "privacy/accounting/log_sum.h"

namespace aisle {
namespace {

// log E[(r - 1)^n] for even n, where r = N(1, z^2) / N(0, z^2) at a point of N(0, z^2): all terms positive, so an
// integral keeps the digits that the alternating sum of exp(k (k - 1) / (2 z^2)) loses. Trapezoidal rule, as in rdp.cc.
double LogCentralMoment(int n, double z) {
  constexpr double kReach = 12;
  const double step = 0.05 * std::min(z, z * z);
  double log_sum = -std::numeric_limits<double>::infinity();
  for (double x = -kReach * z; x <= n + kReach * z; x += step) {
    const double exponent = (2 * x - 1) / (2 * z * z);
    // log |exp(e) - 1|
    const double log_ratio = exponent > 30 ? exponent : std::log(std::fabs(std::expm1(exponent)));
    log_sum = LogAdd(log_sum, n * log_ratio - x * x / (2 * z * z));
  }
  return log_sum + std::log(step / (z * std::sqrt(2 * std::numbers::pi)));
}

double LogMomentWhole(double q, double z, int alpha, const std::vector<double>& central) {
  const auto log_raw = [z](int k) { return k * (k - 1) / (2 * z * z); };  // log E[r^k]
  double log_moment = 0;
  for (int j = 2; j <= alpha; ++j) {
    double log_term = std::log(2) + log_raw(j);
    if (j == 2) {
      log_term = std::min(log_term, std::log(4) + std::log(std::expm1(log_raw(2))));
    } else {
      const double low = central[static_cast<size_t>(j / 2)];
      const double high = central[static_cast<size_t>((j + 1) / 2)];
      log_term = std::min(log_term, std::log(4) + (low + high) / 2);
    }
    log_moment = LogAdd(log_moment, log_term + j * std::log(q) + LogBinomial(alpha, j));
  }
  return log_moment;
}

}  // namespace

StatusOr<double> RdpOfFixedSizeSample(double sampling_rate, double noise_multiplier, double alpha) {
  const double q = sampling_rate;
  const double z = noise_multiplier;
  if (!(q > 0 && q <= 1)) return InvalidArgument("a sampling rate of {}; it must be over 0 and at most 1", q);
  if (!(z >= 0.3 && z <= 1e4)) return InvalidArgument("a noise multiplier of {}; it must be from 0.3 to 10000", z);
  if (!(alpha >= 2 && alpha <= 64)) return InvalidArgument("an order of {}; it must be from 2 to 64", alpha);
  const int below = static_cast<int>(alpha);
  const int above = below == alpha ? below : below + 1;
  std::vector<double> central(static_cast<size_t>((above + 1) / 2) + 1);  // log E[(r - 1)^(2 i)]
  for (size_t i = 1; i < central.size(); ++i) central[i] = LogCentralMoment(2 * static_cast<int>(i), z);
  const double low = LogMomentWhole(q, z, below, central);
  const double high = above == below ? low : LogMomentWhole(q, z, above, central);
  return (low + (alpha - below) * (high - low)) / (alpha - 1);
}

}  // namespace aisle
