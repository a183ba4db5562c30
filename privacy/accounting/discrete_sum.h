// Sums of discrete Gaussian noise: what the stores' integer noise is together. Such a sum is not itself a discrete
// Gaussian, but next to one. Source: Kairouz, Liu, Steinke 2021, "The Distributed Discrete Gaussian Mechanism for
// Federated Learning with Secure Aggregation", theorem 1 and proposition 14.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace aisle {

// `addends` stores each add discrete Gaussian noise of parameter `sigma` to every coordinate of an integer vector that
// one unit changes by at most `l2` in the L2 norm (and, knowing no better, by `l1` = min(l2^2, l2 sqrt(dimension)) in
// L1: integers are at most their squares). Sigma and l2 are in integer steps.
struct DiscreteGaussianSum {
  double sigma = 0;        // Over 0.
  uint32_t addends = 1;    // At least 1.
  double l2 = 0;           // At least 0.
  uint64_t dimension = 1;  // At least 1.
};

// tau = 10 sum over k = 1 .. addends - 1 of exp(-2 pi^2 sigma^2 k / (k + 1)): how far, at most, the sum's probabilities
// are from a discrete Gaussian's, as the largest log-ratio. Of no weight for practical sigmas: for up to a million
// addends it is under 1e-15 from a sigma of 2 up and 0 in floating point from 9 up; Aisle's sigmas are thousands.
double TauOf(double sigma, uint32_t addends);

// Renyi divergence at `alpha` > 1: alpha / 2 times the smallest of the theorem's three bounds. InvalidArgument naming
// the number out of range.
StatusOr<double> RdpOfDiscreteGaussianSum(const DiscreteGaussianSum& sum, double alpha);

// The same when each unit takes part with probability q, secretly: an upper bound for any mechanism, at whole alpha
// from 2 to 1024 (Zhu, Wang 2019, "Poisson Subsampled Renyi Differential Privacy", theorem 5).
StatusOr<double> RdpOfSampledDiscreteGaussianSum(double sampling_rate, const DiscreteGaussianSum& sum, int alpha);

}  // namespace aisle
