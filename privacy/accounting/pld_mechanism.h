// The mechanisms whose privacy losses can be put on a mesh: what adding or removing one unit changes in their output.
#pragma once

#include <cstdint>
#include <variant>

#include "base/status.h"
#include "privacy/accounting/loss_pmf.h"

namespace aisle {

// The unit is in the sum with probability q in [1e-9, 1], secretly and independently; noise of std z in [1e-3, 1e6]
// times the sensitivity is added. q = 1 is the plain Gaussian.
struct SampledGaussian {
  double sampling_rate = 1;
  double noise_multiplier = 1;
  bool operator==(const SampledGaussian&) const = default;
};

// Noise of density exp(-|x| / scale) / (2 scale) on sensitivity 1. Scale in [1e-3, 1e6].
struct Laplace {
  double scale = 1;
  bool operator==(const Laplace&) const = default;
};

// Integer noise with probabilities proportional to exp(-x^2 / (2 sigma^2)) on one integer that a unit changes by
// `sensitivity`. Sigma in [0.1, 1e5], sensitivity from 1 to 1e6.
struct DiscreteGaussianCount {
  double sigma = 1;
  uint32_t sensitivity = 1;
  bool operator==(const DiscreteGaussianCount&) const = default;
};

using LossMechanism = std::variant<SampledGaussian, Laplace, DiscreteGaussianCount>;

// InvalidArgument naming the number and its range.
Status Validate(const LossMechanism& mechanism);

// Which of two neighbours holds the unit: its removal or its addition is what an observer tries to tell.
enum class Adjacency { kRemove, kAdd };

// Whether both directions have the same privacy loss distribution.
bool IsSymmetric(const LossMechanism& mechanism);

// Mass that may be cut off at each end: above it counts as a certain breach, below it is rounded up.
struct Truncation {
  double above = 0;
  double below = 0;
};

struct LossRange {
  double low = 0;
  double high = 0;
};
LossRange RangeOf(const LossMechanism& mechanism, Adjacency adjacency, const Truncation& truncation);

// On whole multiples of `mesh` within RangeOf.
LossPmf Discretise(const LossMechanism& mechanism, Adjacency adjacency, const Truncation& truncation, double mesh);

// An upper bound of the Renyi divergence at `alpha` > 1, both ways.
double RdpOf(const LossMechanism& mechanism, double alpha);

}  // namespace aisle
