// The Laplace mechanism: noise of density exp(-|x| / scale) / (2 scale) on sensitivity 1.
#pragma once

#include "base/status.h"

namespace aisle {

// Renyi divergence at `alpha` > 1 (Mironov 2017, proposition 6). Scale over 0 (AISLE_CHECK).
double RdpOfLaplace(double scale, double alpha);

// The exact delta of one release at `epsilon` >= 0: 1 - exp((epsilon - 1 / scale) / 2), at least 0 (Balle, Barthe,
// Gaboardi 2020, theorem 3).
double LaplaceDelta(double epsilon, double scale);

// The exact smallest epsilon of one release at `delta` in [0, 1). InvalidArgument naming the number out of range.
StatusOr<double> LaplaceEpsilon(double scale, double delta);

}  // namespace aisle
