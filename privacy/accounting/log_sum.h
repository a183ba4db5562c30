// Sums and binomials of numbers that only their logarithms can hold.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace aisle {

// log(exp(a) + exp(b))
inline double LogAdd(double a, double b) {
  const double high = std::max(a, b);
  if (high == -std::numeric_limits<double>::infinity()) return high;
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

// log of n over k, for 0 <= k <= n.
inline double LogBinomial(int n, int k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

}  // namespace aisle
