#include "privacy/accounting/pld_compose.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "privacy/accounting/spectrum_power.h"

namespace aisle {
namespace {

// At most this share of the tilted mass lies over a window: it wraps around to where it counts for more.
constexpr double kLogShareAbove = -25;

// How far a tilt is from where it should be, and how fast that shrinks as t grows.
struct Gap {
  double left = 0;
  double slope = 0;
  bool close = false;
};

// Masses of one part under a tilt, sum 1, laid cyclically on `length` points.
struct TiltedPart {
  std::vector<double> mass;
  double log_moment = 0;  // log M(t)
};

TiltedPart Lay(const LossPmf& pmf, double t, size_t length) {
  // Exponents relative to 0 keep the digits of moments next to 1; relative to the top where they would overflow.
  const double reference = t * static_cast<double>(pmf.last()) * pmf.mesh < 600 ? 0 : static_cast<double>(pmf.last());
  TiltedPart part{.mass = std::vector<double>(length), .log_moment = 0};
  const auto cycle = static_cast<int64_t>(length);
  int64_t place = ((pmf.first % cycle) + cycle) % cycle;
  long double sum = 0;
  for (size_t i = 0; i < pmf.mass.size(); ++i) {
    const double at = static_cast<double>(pmf.first + static_cast<int64_t>(i)) - reference;
    const double tilted = pmf.mass[i] * std::exp(t * pmf.mesh * at);
    part.mass[static_cast<size_t>(place)] += tilted;
    sum += tilted;
    if (++place == cycle) place = 0;
  }
  const auto total = static_cast<double>(sum);
  for (double& mass : part.mass) mass /= total;
  part.log_moment = std::log(total) + t * pmf.mesh * reference;
  return part;
}

}  // namespace

// The composed, tilted mass, read from its top down: delta at a mesh point and what carries it to the next lower one.
//   delta(l) = sum over m > l of p(m) (1 - exp(l - m)), all terms positive, in units of exp(log_scale).
struct LossComposition::Window {
  std::vector<double> mass;  // Of (any + i) * mesh at i modulo its size.
  double error = 0;          // Of each mass, at most.
  double log_scale = 0;      // log of K(t) - t * centre.
  double t = 0;
  double centre = 0;
  double mesh = 0;
  int64_t point = 0;  // The walk stands here.
  double delta = 0;
  double discounted = 0;  // sum over m > l of p(m) exp(l - m)

  double loss() const { return static_cast<double>(point) * mesh; }

  double MassHere() const {
    const auto cycle = static_cast<int64_t>(mass.size());
    const double tilted = std::max(0.0, mass[static_cast<size_t>(((point % cycle) + cycle) % cycle)]) + error;
    return tilted * std::exp(-t * (loss() - centre));
  }

  void StepDown() {
    const double beyond = MassHere() + discounted;
    delta += beyond * -std::expm1(-mesh);
    discounted = beyond * std::exp(-mesh);
    --point;
  }
};

LossComposition::LossComposition(std::vector<LossPart> parts) : parts_(std::move(parts)), mesh_(0) {
  AISLE_CHECK(!parts_.empty());
  mesh_ = parts_.front().pmf.mesh;
  double log_finite = 0;
  for (const LossPart& part : parts_) {
    AISLE_CHECK(part.pmf.mesh == mesh_ && part.pmf.mass.back() > 0 && part.count >= 1);
    count_ += part.count;
    loss_min_ += part.count * static_cast<double>(part.pmf.first) * mesh_;
    loss_max_ += part.count * static_cast<double>(part.pmf.last()) * mesh_;
    log_finite += part.count * std::log1p(-std::min(1.0, part.pmf.infinity));
  }
  infinity_ = -std::expm1(log_finite);
}

Cumulants LossComposition::CumulantsAt(double t) const {
  Cumulants total;
  for (const LossPart& part : parts_) {
    const Cumulants one = CumulantsOf(part.pmf, t);
    total.value += part.count * one.value;
    total.mean += part.count * one.mean;
    total.variance += part.count * one.variance;
  }
  return total;
}

// Newton's method within a bracket. Its answer needn't be exact: any tilt is right.
template <typename GapAt>
double LossComposition::Solve(double low, GapAt gap_at) const {
  const double highest = low + 8 / mesh_;  // There nearly all mass is at the top point.
  double high = highest;
  double t = std::min(low == 0 ? 1 : 1.5 * low, highest);
  for (int round = 0; round < 100; ++round) {
    const Gap gap = gap_at(t, CumulantsAt(t));
    if (gap.close) return t;
    (gap.left > 0 ? low : high) = t;
    if (low == highest || high < 1e-9 || high - low < 1e-6 * high) return t;
    const double next = std::clamp(t + gap.left / gap.slope, t / 16, t * 16);
    const bool inside = next > low && next < high;  // False for NaN.
    t = inside ? next : std::min((low + high) / 2, std::max(16 * low, high / 16));
  }
  return t;
}

// For any t, delta <= exp(K(t) - t epsilon) t^t / (1 + t)^(1 + t) (Canonne, Kamath, Steinke 2020, proposition 12). The
// best t for a delta has K(t) - t K'(t) - log(1 + t) = log(delta), the best for an epsilon K'(t) + log(t / (1 + t)) =
// epsilon.
double LossComposition::SolveForDelta(double log_delta) const {
  return Solve(0, [log_delta](double t, const Cumulants& at) {
    const double left = at.value - t * at.mean - std::log1p(t) - log_delta;
    return Gap{.left = left, .slope = t * at.variance + 1 / (1 + t), .close = std::fabs(left) < 0.05};
  });
}

double LossComposition::SolveForEpsilon(double epsilon) const {
  return Solve(0, [epsilon](double t, const Cumulants& at) {
    const double left = epsilon - at.mean + std::log1p(1 / t);
    const double slope = at.variance + 1 / (t * (1 + t));
    return Gap{.left = left, .slope = slope, .close = left * left < 0.01 * slope};
  });
}

// Above a window Chernoff's bound holds for any s > t: under the tilt P(L > u) <= exp(K(s) - K(t) - (s - t) u), and
// without it P(L > u) <= exp(K(s) - s u), which is less by exp(K(t) - t u).
LossTilt LossComposition::TiltAt(double t) const {
  const Cumulants here = CumulantsAt(t);
  const double s = Solve(t, [&](double at, const Cumulants& there) {
    const double left = there.value - here.value - (at - t) * there.mean - kLogShareAbove;
    return Gap{.left = left, .slope = (at - t) * there.variance, .close = std::fabs(left) < 0.5};
  });
  const Cumulants there = CumulantsAt(s);
  const double highest = (there.value - here.value - kLogShareAbove) / (s - t);
  const bool all = !(highest < loss_max_);
  LossTilt tilt{.t = t, .centre = here.mean};
  tilt.highest = all ? loss_max_ : highest;
  tilt.above = all ? 0 : 1.1 * std::exp(there.value - s * highest);
  const double reach = 10 * std::sqrt(here.variance) + 1.5 * std::log1p(1 / t) + 2 * mesh_;
  tilt.lowest = std::max(loss_min_, here.mean - reach);
  tilt.points = (tilt.highest - tilt.lowest) / mesh_ + 4;
  return tilt;
}

LossTilt LossComposition::TiltForDelta(double delta) const { return TiltAt(SolveForDelta(std::log(delta))); }

LossTilt LossComposition::TiltForEpsilon(double epsilon) const { return TiltAt(SolveForEpsilon(epsilon)); }

LossComposition::Window LossComposition::Compose(const LossTilt& tilt) const {
  AISLE_CHECK(tilt.points <= kPointsMax, "a window of {} points", tilt.points);
  const size_t length = std::bit_ceil(std::max(RealFft::kLengthMin, static_cast<size_t>(tilt.points)));
  RealFft fft(length);
  SpectrumPower product(fft);
  Window window{.t = tilt.t, .centre = tilt.centre, .mesh = mesh_};
  window.log_scale = -tilt.t * tilt.centre;
  for (const LossPart& part : parts_) {
    const TiltedPart tilted = Lay(part.pmf, tilt.t, length);
    window.log_scale += part.count * tilted.log_moment;
    product.Multiply(tilted.mass, static_cast<uint64_t>(part.count));
  }
  window.mass.resize(length);
  window.error = product.Invert(window.mass);
  window.point = static_cast<int64_t>(std::ceil(tilt.highest / mesh_)) + 1;
  return window;
}

// Each release's masses, tilts and moments are right to 1e-12, its losses to 1e-14 (what rounding moves within a cell).
double LossComposition::Epsilon(double delta, const LossTilt& tilt) const {
  const double sought = delta * (1 - 1e-12 * count_) - infinity_ - tilt.above;
  if (!(sought > 0)) return std::numeric_limits<double>::infinity();
  Window window = Compose(tilt);
  const double scaled = std::exp(std::log(sought) - window.log_scale);
  const auto lowest = static_cast<int64_t>(std::floor(tilt.lowest / mesh_));
  double before = window.delta;
  while (window.delta <= scaled && window.point > std::max<int64_t>(0, lowest)) {
    before = window.delta;
    window.StepDown();
  }
  const double slack = 1e-14 * count_;
  if (window.delta <= scaled) return std::max(0.0, window.loss()) + slack * (window.point > 0);
  // In between delta is linear in exp(epsilon).
  const double share = (scaled - before) / (window.delta - before);
  return std::max(0.0, window.loss() + mesh_ + std::log1p(share * std::expm1(-mesh_))) + slack;
}

double LossComposition::Delta(double epsilon, const LossTilt& tilt) const {
  if (epsilon < tilt.lowest) return 1;
  Window window = Compose(tilt);
  double before = window.delta;
  while (window.loss() > epsilon) {
    before = window.delta;
    window.StepDown();
  }
  const double share = std::expm1(epsilon - window.loss() - mesh_) / std::expm1(-mesh_);
  const double scaled = before + std::clamp(share, 0.0, 1.0) * (window.delta - before);
  const double finite = scaled > 0 ? std::exp(std::log(scaled) + window.log_scale) : 0;
  return std::min(1.0, (finite + tilt.above) * (1 + 1e-12 * count_) + infinity_);
}

}  // namespace aisle
