#include "privacy/accounting/rdp.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>

#include "base/check.h"
#include "privacy/accounting/log_sum.h"

namespace aisle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> MakeOrders() {
  std::vector<double> orders;
  for (int tenth = 1; tenth <= 99; ++tenth) orders.push_back(1 + tenth / 10.0);
  for (int order = 11; order <= 63; ++order) orders.push_back(order);
  for (const int order : {128, 256, 512, 1024}) orders.push_back(order);
  return orders;
}

// log(exp(x) - 1) for x > 0.
double LogExpm1(double x) { return x > 30 ? x : std::log(std::expm1(x)); }

// log E[(mixture / base)^alpha] for a whole alpha: Mironov, Talwar, Zhang 2019, section 3.3, a binomial sum. Its
// weights have the sum 1, so that taking 1 from every term leaves the moment less 1, in positive terms: the smallest
// costs keep their digits.
double LogMomentWhole(double q, double z, int alpha) {
  const double log_in = std::log(q);
  const double log_out = std::log1p(-q);
  double log_excess = -kInfinity;
  double log_binomial = std::log(alpha * (alpha - 1.0) / 2);
  for (int k = 2; k <= alpha; ++k) {
    const double exponent = (double{1} * k * k - k) / (2 * z * z);
    log_excess = LogAdd(log_excess, log_binomial + k * log_in + (alpha - k) * log_out + LogExpm1(exponent));
    log_binomial += std::log(static_cast<double>(alpha - k) / (k + 1));  // Minus infinity after the last term.
  }
  return LogAdd(0, log_excess);
}

// The output x of one release over the base N(0, z^2): the mixture's density over the base's, r, at even steps. The
// trapezoidal rule on it integrates what follows: the integrands are analytic within pi z^2 of the real line (where the
// mixture has its first complex zero) and fall like a Gaussian of width z, so at this step the rule's error is under
// e^-30 of the integral (Trefethen, Weideman 2014, theorem 5.1).
class RatioGrid {
 public:
  // For orders up to `alpha_max`; 0: for none.
  RatioGrid(double q, double z, double alpha_max) : z_(z), step_(0.5 * std::min(z, z * z)) {
    const size_t points = alpha_max == 0 ? 0 : std::min(PointsFor(alpha_max), kPointsMax);
    for (size_t i = 0; i < points; ++i) {
      const double x = -kReach * z + static_cast<double>(i) * step_;
      const double exponent = (2 * x - 1) / (2 * z * z);
      const double excess = q * std::expm1(exponent);  // r - 1; infinite far out, where only the logarithm is used.
      log_ratios_.push_back(exponent > 30 ? LogAdd(std::log1p(-q), std::log(q) + exponent) : std::log1p(excess));
      excesses_.push_back(excess);
      log_densities_.push_back(-x * x / (2 * z * z));
      densities_.push_back(std::exp(log_densities_.back()));
    }
  }

  // log E[r^alpha] from the definition, for any alpha. Taken off is 1 + alpha (r - 1), whose mean is 1 and which
  // r^alpha, being convex, is never under: so the smallest costs keep their digits. The mass lies around 0 and around
  // alpha. Nothing if z is so small that the steps are too many. (The usual series of Mironov et al. converge slowly at
  // small orders, and implementations are loose there.)
  std::optional<double> LogMoment(double alpha) const {
    const size_t points = PointsFor(alpha);
    if (points > log_ratios_.size()) return std::nullopt;
    double near = 0;
    double log_far = -kInfinity;  // Where r^alpha is so large that the rest doesn't count.
    for (size_t i = 0; i < points; ++i) {
      const double power = alpha * log_ratios_[i];
      if (power > 40) {
        log_far = LogAdd(log_far, power + log_densities_[i]);
      } else {
        near += Convexity(log_ratios_[i], excesses_[i], alpha) * densities_[i];
      }
    }
    return LogAdd(0, LogAdd(std::log(near), log_far) + std::log(step_ / (z_ * std::sqrt(2 * std::numbers::pi))));
  }

 private:
  static constexpr size_t kPointsMax = 20'000;
  static constexpr double kReach = 10;  // e^-50 is left outside.

  size_t PointsFor(double alpha) const {
    return static_cast<size_t>(std::min(1e9, std::ceil((alpha + 2 * kReach * z_) / step_))) + 1;
  }

  // r^alpha - 1 - alpha (r - 1).
  static double Convexity(double log_ratio, double excess, double alpha) {
    const double power = alpha * log_ratio;
    if (std::fabs(power) > 0.1) return std::expm1(power) - alpha * excess;
    // By the series in log r, whose first two terms cancel.
    double sum = 0;
    double power_term = power;
    double ratio_term = power;
    for (int n = 2; n <= 9; ++n) {
      power_term *= power / n;
      ratio_term *= log_ratio / n;
      sum += power_term - ratio_term;
    }
    return std::max(0.0, sum);
  }

  double z_;
  double step_;
  std::vector<double> log_ratios_;
  std::vector<double> excesses_;
  std::vector<double> log_densities_;
  std::vector<double> densities_;
};

// log-moments are convex in alpha and 0 at alpha = 1, so the chord between whole orders is an upper bound.
double LogMomentChord(double q, double z, double alpha) {
  const int below = static_cast<int>(alpha);
  const double low = below == 1 ? 0 : LogMomentWhole(q, z, below);
  return low + (alpha - below) * (LogMomentWhole(q, z, below + 1) - low);
}

Status CheckMechanism(double q, double z) {
  if (!(z > 0 && std::isfinite(z))) return InvalidArgument("a noise multiplier of {}; it must be finite and over 0", z);
  if (!(q > 0 && q <= 1)) return InvalidArgument("a sampling rate of {}; it must be over 0 and at most 1", q);
  return OkStatus();
}

bool IsWhole(double alpha) { return alpha == std::floor(alpha); }

// `grid` must reach alpha, unless alpha is whole.
double RdpAt(double q, double z, double alpha, const RatioGrid& grid) {
  if (q == 1) return alpha / (2 * z * z);
  if (IsWhole(alpha)) return LogMomentWhole(q, z, static_cast<int>(alpha)) / (alpha - 1);
  const std::optional<double> integrated = grid.LogMoment(alpha);
  return (integrated.has_value() ? *integrated : LogMomentChord(q, z, alpha)) / (alpha - 1);
}

// The largest order of the fixed grid that isn't whole.
double FractionMax() {
  double highest = 1;
  for (const double order : RdpOrders()) {
    if (!IsWhole(order)) highest = std::max(highest, order);
  }
  return highest;
}

}  // namespace

std::span<const double> RdpOrders() {
  static const std::vector<double> orders = MakeOrders();
  return orders;
}

RdpCurve::RdpCurve() : values_(RdpOrders().size()) {}

StatusOr<RdpCurve> RdpCurve::Gaussian(double noise_multiplier) { return SampledGaussian(1, noise_multiplier); }

StatusOr<RdpCurve> RdpCurve::SampledGaussian(double sampling_rate, double noise_multiplier) {
  AISLE_RETURN_IF_ERROR(CheckMechanism(sampling_rate, noise_multiplier));
  RdpCurve curve;
  const RatioGrid grid(sampling_rate, noise_multiplier, sampling_rate == 1 ? 0 : FractionMax());
  std::ranges::transform(RdpOrders(), curve.values_.begin(),
                         [&](double alpha) { return RdpAt(sampling_rate, noise_multiplier, alpha, grid); });
  return curve;
}

RdpCurve& RdpCurve::operator+=(const RdpCurve& other) {
  std::ranges::transform(values_, other.values_, values_.begin(), std::plus<>());
  return *this;
}

RdpCurve RdpCurve::operator*(double count) const {
  AISLE_CHECK(count >= 0, "a mechanism {} times", count);
  RdpCurve product;
  std::ranges::transform(values_, product.values_.begin(), [count](double value) { return value * count; });
  return product;
}

double RdpOfSampledGaussian(double sampling_rate, double noise_multiplier, double alpha) {
  const double q = sampling_rate;
  const double z = noise_multiplier;
  AISLE_CHECK(CheckMechanism(q, z).ok() && alpha > 1 && std::isfinite(alpha), "q {}, z {}, alpha {}", q, z, alpha);
  return RdpAt(q, z, alpha, RatioGrid(q, z, IsWhole(alpha) ? 0 : alpha));
}

double EpsilonAt(double alpha, double rdp, double delta, RdpConversion conversion) {
  AISLE_CHECK(alpha > 1 && rdp >= 0 && delta > 0 && delta < 1, "alpha {}, rdp {}, delta {}", alpha, rdp, delta);
  if (conversion == RdpConversion::kClassic) return rdp - std::log(delta) / (alpha - 1);
  // Total variation is at most sqrt(1 - exp(-KL)) (Bretagnolle, Huber 1979), and KL at most any Renyi divergence.
  if (delta * delta + std::expm1(-rdp) > 0) return 0;
  if (alpha <= 1.01) return kInfinity;  // The bound is vacuous there, and numerically unstable.
  return std::max(0.0, rdp + std::log1p(-1 / alpha) - std::log(delta * alpha) / (alpha - 1));
}

double RdpBudgetAt(double alpha, double epsilon, double delta) {
  return epsilon - std::log1p(-1 / alpha) + std::log(delta * alpha) / (alpha - 1);
}

EpsilonBound EpsilonOf(const RdpCurve& curve, double delta, RdpConversion conversion) {
  EpsilonBound best{.epsilon = kInfinity, .alpha = 0};
  const std::span<const double> orders = RdpOrders();
  for (size_t i = 0; i < orders.size(); ++i) {
    const double epsilon = EpsilonAt(orders[i], curve.values()[i], delta, conversion);
    if (epsilon < best.epsilon) best = {.epsilon = epsilon, .alpha = orders[i]};
  }
  return best;
}

}  // namespace aisle
