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

// log E[(mixture / base)^alpha] for a whole alpha: Mironov, Talwar, Zhang 2019, section 3.3, a binomial sum.
double LogMomentWhole(double q, double z, int alpha) {
  double log_moment = -kInfinity;
  double log_binomial = 0;
  for (int k = 0; k <= alpha; ++k) {
    const double log_term =
        log_binomial + k * std::log(q) + (alpha - k) * std::log1p(-q) + (double{1} * k * k - k) / (2 * z * z);
    log_moment = LogAdd(log_moment, log_term);
    log_binomial += std::log(static_cast<double>(alpha - k) / (k + 1));  // Minus infinity after the last term.
  }
  return log_moment;
}

// The same for any alpha, from the definition: the base's density times the ratio to the power alpha, integrated over
// the line by the trapezoidal rule. The integrand is analytic within pi z^2 of the real line (where the mixture has its
// first complex zero) and falls like a Gaussian of width z, so at this step the rule's error is under e^-30 (Trefethen,
// Weideman 2014, theorem 5.1). Its mass lies around 0 and around alpha. Nothing if z is so small that the steps are too
// many. (The usual series of Mironov et al. converge slowly at small orders, and implementations are loose there.)
std::optional<double> LogMomentIntegrated(double q, double z, double alpha) {
  constexpr double kPointsMax = 20'000;
  constexpr double kReach = 10;  // e^-50 is left outside.
  const double step = 0.5 * std::min(z, z * z);
  const double begin = -kReach * z;
  const double points = std::ceil((alpha + 2 * kReach * z) / step);
  if (points > kPointsMax) return std::nullopt;
  std::vector<double> log_terms(static_cast<size_t>(points) + 1);
  for (size_t i = 0; i < log_terms.size(); ++i) {
    const double x = begin + static_cast<double>(i) * step;
    const double log_ratio = LogAdd(std::log1p(-q), std::log(q) + (2 * x - 1) / (2 * z * z));
    log_terms[i] = alpha * log_ratio - x * x / (2 * z * z);
  }
  const double highest = *std::ranges::max_element(log_terms);
  double sum = 0;
  for (const double log_term : log_terms) sum += std::exp(log_term - highest);
  return highest + std::log(sum * step / (z * std::sqrt(2 * std::numbers::pi)));
}

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
  std::ranges::transform(RdpOrders(), curve.values_.begin(),
                         [&](double alpha) { return RdpOfSampledGaussian(sampling_rate, noise_multiplier, alpha); });
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
  if (q == 1) return alpha / (2 * z * z);
  if (alpha == std::floor(alpha)) return std::max(0.0, LogMomentWhole(q, z, static_cast<int>(alpha)) / (alpha - 1));
  const std::optional<double> integrated = LogMomentIntegrated(q, z, alpha);
  const double log_moment = integrated.has_value() ? *integrated : LogMomentChord(q, z, alpha);
  return std::max(0.0, log_moment / (alpha - 1));
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
