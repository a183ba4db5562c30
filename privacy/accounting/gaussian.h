// The Gaussian mechanism's exact (epsilon, delta): Balle and Wang, "Improving the Gaussian Mechanism for Differential
// Privacy" (ICML 2018), theorem 8. k releases with noise multiplier z are one release with z / sqrt(k), exactly.
#pragma once

#include "base/status.h"

namespace aisle {

// The smallest delta at `epsilon` >= 0 for sensitivity 1 and noise of std `noise_multiplier` > 0 (AISLE_CHECK).
double GaussianDelta(double epsilon, double noise_multiplier);

// The smallest epsilon at `delta`, rounded up by at most 1e-9 relative. InvalidArgument unless the noise multiplier is
// finite and over 0 and delta in (0, 1).
StatusOr<double> GaussianEpsilon(double noise_multiplier, double delta);

// The smallest noise multiplier that keeps `releases` releases within (epsilon, delta), rounded up likewise.
// InvalidArgument unless epsilon is finite and over 0, delta in (0, 1) and releases at least 1.
StatusOr<double> GaussianNoiseMultiplier(double epsilon, double delta, double releases);

// log(erfc(x)) without underflow, for any x.
double LogErfc(double x);

}  // namespace aisle
