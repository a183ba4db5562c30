// Renyi differential privacy of the Gaussian mechanism, whole and Poisson-sampled, and its conversion to (epsilon,
// delta). Neighbouring inputs differ by adding or removing one privacy unit.
//
// Sources: Mironov 2017 (RDP, classic conversion); Mironov, Talwar, Zhang 2019, section 3 (sampled Gaussian;
// fractional orders are integrated numerically); Balle et al. 2020, theorem 21, and Canonne, Kamath, Steinke 2020,
// proposition 12 (improved conversion). The discrete Gaussian has at most the Gaussian's curve (Canonne et al. 2020,
// theorem 4), so unsampled figures are proven bounds for the noise that is really drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace aisle {

// The orders alpha > 1 that every curve is kept at: 1.1, 1.2 .. 10.9, 11 .. 63, 128, 256, 512, 1024. Fixed: ledgers
// written years apart must add.
std::span<const double> RdpOrders();

// One value per order, in nats. Adding curves composes mechanisms.
class RdpCurve {
 public:
  RdpCurve();  // Zero: nothing released.

  // alpha / (2 z^2). InvalidArgument unless z is finite and over 0.
  static StatusOr<RdpCurve> Gaussian(double noise_multiplier);
  // Each unit is in the sum with probability q, independently and secretly. q in (0, 1]; q = 1 is Gaussian.
  static StatusOr<RdpCurve> SampledGaussian(double sampling_rate, double noise_multiplier);

  std::span<const double> values() const { return values_; }
  RdpCurve& operator+=(const RdpCurve& other);
  RdpCurve operator*(double count) const;  // The same mechanism `count` times. count >= 0.

  bool operator==(const RdpCurve&) const = default;

 private:
  std::vector<double> values_;
};

// Renyi divergence of one step of the sampled Gaussian at any order alpha > 1, in nats: exact to 1e-9 from a noise
// multiplier of 0.05 up, an upper bound below. Arguments must be valid as above (AISLE_CHECK).
double RdpOfSampledGaussian(double sampling_rate, double noise_multiplier, double alpha);

enum class RdpConversion { kClassic, kImproved };

// The epsilon that (alpha, rdp)-RDP implies at `delta` in (0, 1), at least 0. Infinity where the bound is vacuous.
double EpsilonAt(double alpha, double rdp, double delta, RdpConversion conversion = RdpConversion::kImproved);
// The largest rdp at `alpha` whose improved epsilon at `delta` is at most `epsilon`; below 0 if not even rdp = 0 is.
double RdpBudgetAt(double alpha, double epsilon, double delta);

struct EpsilonBound {
  double epsilon = 0;
  double alpha = 0;  // The order that gave it.
};
// The smallest epsilon over all orders.
EpsilonBound EpsilonOf(const RdpCurve& curve, double delta, RdpConversion conversion = RdpConversion::kImproved);

}  // namespace aisle
