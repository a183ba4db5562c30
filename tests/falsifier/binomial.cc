#include "tests/falsifier/binomial.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace aisle {
namespace {

// The continued fraction of DLMF 8.17.22, by the modified Lentz method; converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto not_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / not_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < 5000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / not_zero(1 + even * d);
    c = not_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / not_zero(1 + odd * d);
    c = not_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-15) return fraction;
  }
  return fraction;
}

// The x in [0, 1] at which the rising `function` passes `level`.
template <typename Function>
double Solve(double low, double high, double level, Function function) {
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (function(middle) < level ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

double IncompleteBeta(double a, double b, double x) {
  AISLE_CHECK(a > 0 && b > 0 && x >= 0 && x <= 1, "a {}, b {}, x {}", a, b, x);
  if (x == 0 || x == 1) return x;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

// P[at least `hits`] at p is I_p(hits, trials - hits + 1).
double ProbabilityLow(size_t hits, size_t trials, double alpha) {
  AISLE_CHECK(hits <= trials && trials > 0 && alpha > 0 && alpha < 1);
  if (hits == 0) return 0;
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(trials);
  return Solve(0, 1, alpha, [&](double p) { return IncompleteBeta(k, n - k + 1, p); });
}

double ProbabilityHigh(size_t hits, size_t trials, double alpha) {
  return 1 - ProbabilityLow(trials - hits, trials, alpha);
}

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double NormalQuantile(double p) {
  AISLE_CHECK(p >= 0 && p <= 1, "p {}", p);
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (p == 0 || p == 1) return p == 0 ? -kFar : kFar;
  return Solve(-40, 40, p, NormalCdf);
}

}  // namespace aisle
