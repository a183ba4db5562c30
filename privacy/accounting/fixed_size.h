// Sampling a fixed number of units without replacement: for comparison only. Aisle never samples so (the number drawn
// would have to be agreed on, and one unit's presence moves another's), and a shuffled or fixed-size batch must not be
// priced as Poisson sampling: this is what it really costs.
#pragma once

#include "base/status.h"

namespace aisle {

// An upper bound of the Renyi divergence at `alpha` of the Gaussian mechanism on a sample of a fixed share q of all
// units, drawn without replacement; neighbouring inputs differ by replacing one unit, and the noise has std z times the
// sensitivity to that. Wang, Balle, Kasiviswanathan 2019, "Subsampled
// Renyi Differential Privacy and Analytical Moments Accountant", theorem 27; between whole orders the chord.
// InvalidArgument unless q is in (0, 1], z from 0.3 to 1e4 and alpha from 2 to 64.
StatusOr<double> RdpOfFixedSizeSample(double sampling_rate, double noise_multiplier, double alpha);

}  // namespace aisle
