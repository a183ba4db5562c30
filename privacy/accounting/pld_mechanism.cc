#include "privacy/accounting/pld_mechanism.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include "privacy/accounting/laplace.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

// A z with P(N(0, 1) > z) <= p, from P <= exp(-z^2 / 2) / 2.
double NormalQuantileAbove(double p) { return p >= 0.5 ? 0 : std::sqrt(-2 * std::log(2 * p)); }

// The smaller tail of a standard normal at a point, so that differences of two keep their digits.
struct NormalTail {
  double mass = 0;
  bool upper = false;

  static NormalTail At(double y) {
    return {.mass = std::erfc(std::fabs(y) * (std::numbers::sqrt2 / 2)) / 2, .upper = y > 0};
  }
  double Below() const { return upper ? 1 - mass : mass; }
  double Above() const { return upper ? mass : 1 - mass; }
};

double MassBetween(const NormalTail& left, const NormalTail& right) {
  if (left.upper) return std::max(0.0, left.mass - right.mass);
  return std::max(0.0, right.upper ? 1 - left.mass - right.mass : right.mass - left.mass);
}

// x exp(y), where x may be 0 while exp(y) overflows.
double TimesExp(double x, double y) { return x > 0 ? std::exp(std::log(x) + y) : 0; }

// The output x is N(0, z^2) without the unit and N(1, z^2) with it, which it is with probability q (Mironov, Talwar,
// Zhang 2019, theorem 4: one dimension is enough). Under kRemove P is the mixture (1 - q) N(0) + q N(1) and Q is N(0);
// kAdd swaps them.
class SampledGaussianLoss {
 public:
  SampledGaussianLoss(const SampledGaussian& mechanism, Adjacency adjacency)
      : q_(mechanism.sampling_rate), z_(mechanism.noise_multiplier), adds_(adjacency == Adjacency::kAdd) {}

  LossRange Range(const Truncation& truncation) const {
    if (adds_) {
      return {.low = -LogRatio(z_ * NormalQuantileAbove(truncation.below)),
              .high = -LogRatio(-z_ * NormalQuantileAbove(truncation.above))};
    }
    const double high = std::max(1 + z_ * NormalQuantileAbove(truncation.above / (2 * q_)),
                                 z_ * NormalQuantileAbove(truncation.above / 2));
    const double low = (q_ == 1 ? 1 : 0) - z_ * NormalQuantileAbove(truncation.below);
    return {.low = LogRatio(low), .high = LogRatio(high)};
  }

  void AddTo(LossPmfBuilder& builder, double mesh, int64_t lowest, int64_t highest) const {
    Edge edge = EdgeAt(static_cast<double>(lowest) * mesh);
    builder.AddBelow(adds_ ? edge.without.Above() : Mixed(edge.without.Below(), edge.with.Below()));
    for (int64_t i = lowest; i < highest; ++i) {
      const Edge next = EdgeAt(static_cast<double>(i + 1) * mesh);
      if (adds_) {
        AddCellOfAdd(builder, i, mesh, next, edge);
      } else {
        AddCellOfRemove(builder, i, mesh, edge, next);
      }
      edge = next;
    }
    builder.AddInfinity(adds_ ? edge.without.Below() : Mixed(edge.without.Above(), edge.with.Above()));
  }

 private:
  // Where the loss crosses a mesh point: the tails of N(0) and N(1) there.
  struct Edge {
    NormalTail without;
    NormalTail with;
  };

  double Mixed(double without, double with) const { return (1 - q_) * without + q_ * with; }

  // log((1 - q) + q exp((2x - 1) / (2 z^2))): the mixture's density over N(0)'s.
  double LogRatio(double x) const {
    const double exponent = (2 * x - 1) / (2 * z_ * z_);
    if (q_ == 1) return exponent;
    if (exponent > kFarLoss) return exponent + std::log(q_) + std::log1p((1 - q_) / q_ * std::exp(-exponent));
    return std::log1p(q_ * std::expm1(exponent));
  }

  // The x with that ratio's log = `value`; minus infinity if none is so low.
  double PointOf(double value) const {
    if (q_ == 1) return 0.5 + z_ * z_ * value;
    if (value > kFarLoss) return 0.5 + z_ * z_ * (value - std::log(q_) + std::log1p(-(1 - q_) * std::exp(-value)));
    const double ratio = std::expm1(value) / q_;
    return ratio <= -1 ? -std::numeric_limits<double>::infinity() : 0.5 + z_ * z_ * std::log1p(ratio);
  }

  Edge EdgeAt(double loss) const {
    const double x = PointOf(adds_ ? -loss : loss);
    return {.without = NormalTail::At(x / z_), .with = NormalTail::At((x - 1) / z_)};
  }

  // The cell's excess p - q exp(loss), written so that little cancels.
  void AddCellOfRemove(LossPmfBuilder& builder, int64_t i, double mesh, const Edge& left, const Edge& right) const {
    const double loss = static_cast<double>(i) * mesh;
    const double without = MassBetween(left.without, right.without);
    const double with = MassBetween(left.with, right.with);
    const double p = Mixed(without, with);
    builder.AddCell(i, p, loss < kFarLoss ? q_ * with - without * (std::expm1(loss) + q_) : p * FarShare(loss, mesh));
  }
  // Losses are at most -log(1 - q) here: exponentials don't overflow.
  void AddCellOfAdd(LossPmfBuilder& builder, int64_t i, double mesh, const Edge& left, const Edge& right) const {
    const double loss = static_cast<double>(i) * mesh;
    const double without = MassBetween(left.without, right.without);
    const double with = MassBetween(left.with, right.with);
    builder.AddCell(i, without, q_ * std::exp(loss) * (without - with) - without * std::expm1(loss));
  }

  // The excess over p where N(0)'s own mass underflows. There P is q N(1) to 13 digits and the loss rises straight, so
  // with x = left + s z^2 mesh the share is the mean of 1 - exp(-mesh s) over s in [0, 1] weighed by exp(-a s - b s^2);
  // Gauss and Legendre's rule of five points is right to 1e-12 in narrow cells. Wide ones are rounded up.
  double FarShare(double loss, double mesh) const {
    constexpr double kPoints[] = {0.04691007703066802, 0.23076534494715845, 0.5, 0.76923465505284155,
                                  0.95308992296933198};
    constexpr double kWeights[] = {0.11846344252809454, 0.23931433524968324, 0.28444444444444444, 0.23931433524968324,
                                   0.11846344252809454};
    if (z_ * mesh > 0.1) return 1;
    const double a = (PointOf(loss) - 1) * mesh;
    const double b = z_ * z_ * mesh * mesh / 2;
    double sum = 0;
    double total = 0;
    for (size_t n = 0; n < std::size(kPoints); ++n) {
      const double s = kPoints[n];
      const double weight = kWeights[n] * std::exp(-a * s - b * s * s);
      sum += weight * -std::expm1(-mesh * s);
      total += weight;
    }
    return sum / total;
  }

  static constexpr double kFarLoss = 30;  // e^-30 = 1e-13

  double q_;
  double z_;
  bool adds_;
};

// Output x, centred on 0 with the unit and on 1 without: the loss is (|x - 1| - |x|) / scale, 1 / scale for x <= 0 and
// -1 / scale for x >= 1, each with an atom.
class LaplaceLoss {
 public:
  explicit LaplaceLoss(const Laplace& mechanism) : b_(mechanism.scale) {}

  LossRange Range(const Truncation&) const { return {.low = -1 / b_, .high = 1 / b_}; }

  void AddTo(LossPmfBuilder& builder, double mesh, int64_t lowest, int64_t highest) const {
    for (int64_t i = lowest; i < highest; ++i) {
      const double loss = static_cast<double>(i) * mesh;
      const double left = PointOf(static_cast<double>(i + 1) * mesh);
      const double right = PointOf(loss);
      if (left >= right) continue;
      const double p = std::exp(-left / b_) / 2 * -std::expm1((left - right) / b_);
      const double q = std::exp((left - 1) / b_) / 2 * std::expm1((right - left) / b_);
      builder.AddCell(i, p, p - TimesExp(q, loss));
    }
    builder.AddAtom(1 / b_, 0.5);
    builder.AddAtom(-1 / b_, std::exp(-1 / b_) / 2);
  }

 private:
  double PointOf(double loss) const { return std::clamp((1 - b_ * loss) / 2, 0.0, 1.0); }

  double b_;
};

// Integers, centred on 0 with the unit and on `sensitivity` without.
class DiscreteGaussianLoss {
 public:
  explicit DiscreteGaussianLoss(const DiscreteGaussianCount& mechanism)
      : sigma_(mechanism.sigma), sensitivity_(mechanism.sensitivity) {}

  LossRange Range(const Truncation& truncation) const {
    return {.low = LossAt(std::ceil(sigma_ * NormalQuantileAbove(truncation.below) + 1)),
            .high = LossAt(-std::ceil(sigma_ * NormalQuantileAbove(truncation.above) + 1))};
  }

  void AddTo(LossPmfBuilder& builder, double, int64_t, int64_t) const {
    const auto reach = static_cast<int64_t>(std::ceil(kReach * sigma_)) + 1;
    double total = 0;
    for (int64_t x = reach; x > 0; --x) total += 2 * WeightAt(x);
    total += 1;
    for (int64_t x = -reach; x <= reach; ++x) builder.AddAtom(LossAt(static_cast<double>(x)), WeightAt(x) / total);
    // A tail is at most exp(-x^2 / (2 sigma^2)) (Canonne, Kamath, Steinke 2020, proposition 25).
    builder.AddInfinity(std::exp(-kReach * kReach / 2));
  }

 private:
  static constexpr double kReach = 16;  // e^-128 is left outside.

  double LossAt(double x) const { return sensitivity_ * (sensitivity_ - 2 * x) / (2 * sigma_ * sigma_); }
  double WeightAt(int64_t x) const {
    const double scaled = static_cast<double>(x) / sigma_;
    return std::exp(-scaled * scaled / 2);
  }

  double sigma_;
  double sensitivity_;
};

template <typename Use>
auto WithLoss(const LossMechanism& mechanism, Adjacency adjacency, Use use) {
  if (const auto* gaussian = std::get_if<SampledGaussian>(&mechanism)) {
    return use(SampledGaussianLoss(*gaussian, adjacency));
  }
  if (const auto* laplace = std::get_if<Laplace>(&mechanism)) return use(LaplaceLoss(*laplace));
  return use(DiscreteGaussianLoss(std::get<DiscreteGaussianCount>(mechanism)));
}

Status CheckRange(std::string_view name, double value, double min, double max) {
  if (value >= min && value <= max) return OkStatus();
  return InvalidArgument("a {} of {}; it must be from {} to {}", name, value, min, max);
}

}  // namespace

Status Validate(const LossMechanism& mechanism) {
  if (const auto* gaussian = std::get_if<SampledGaussian>(&mechanism)) {
    AISLE_RETURN_IF_ERROR(CheckRange("sampling rate", gaussian->sampling_rate, 1e-9, 1));
    return CheckRange("noise multiplier", gaussian->noise_multiplier, 1e-3, 1e6);
  }
  if (const auto* laplace = std::get_if<Laplace>(&mechanism)) {
    return CheckRange("Laplace scale", laplace->scale, 1e-3, 1e6);
  }
  const auto& count = std::get<DiscreteGaussianCount>(mechanism);
  AISLE_RETURN_IF_ERROR(CheckRange("discrete Gaussian sigma", count.sigma, 0.1, 1e5));
  return CheckRange("sensitivity", count.sensitivity, 1, 1e6);
}

bool IsSymmetric(const LossMechanism& mechanism) {
  const auto* gaussian = std::get_if<SampledGaussian>(&mechanism);
  return gaussian == nullptr || gaussian->sampling_rate == 1;
}

LossRange RangeOf(const LossMechanism& mechanism, Adjacency adjacency, const Truncation& truncation) {
  return WithLoss(mechanism, adjacency, [&](const auto& loss) { return loss.Range(truncation); });
}

LossPmf Discretise(const LossMechanism& mechanism, Adjacency adjacency, const Truncation& truncation, double mesh) {
  const LossRange range = RangeOf(mechanism, adjacency, truncation);
  const auto lowest = static_cast<int64_t>(std::floor(range.low / mesh));
  const auto highest = std::max(lowest + 1, static_cast<int64_t>(std::ceil(range.high / mesh)));
  LossPmfBuilder builder(mesh, lowest, highest);
  WithLoss(mechanism, adjacency, [&](const auto& loss) { loss.AddTo(builder, mesh, lowest, highest); });
  return std::move(builder).Build();
}

double RdpOf(const LossMechanism& mechanism, double alpha) {
  if (const auto* gaussian = std::get_if<SampledGaussian>(&mechanism)) {
    return RdpOfSampledGaussian(gaussian->sampling_rate, gaussian->noise_multiplier, alpha);
  }
  if (const auto* laplace = std::get_if<Laplace>(&mechanism)) return RdpOfLaplace(laplace->scale, alpha);
  const auto& count = std::get<DiscreteGaussianCount>(mechanism);
  const double z = count.sigma / count.sensitivity;
  return alpha / (2 * z * z);  // Canonne, Kamath, Steinke 2020, theorem 4.
}

}  // namespace aisle
