// Exact confidence bounds of a probability from a count: Clopper and Pearson 1934.
#pragma once

#include <cstddef>

namespace aisle {

// I_x(a, b), the regularised incomplete beta function, for a, b > 0 and x in [0, 1]; to about 1e-12 (Lentz's continued
// fraction).
double IncompleteBeta(double a, double b, double x);

// Of `trials` independent trials, `hits` came true. Their probability is under the lower bound with a chance of at most
// `alpha`, and over the upper bound with a chance of at most `alpha`: each one-sided, whatever the probability is.
double ProbabilityLow(size_t hits, size_t trials, double alpha);
double ProbabilityHigh(size_t hits, size_t trials, double alpha);

// The standard normal distribution and its inverse; infinite at 0 and 1.
double NormalCdf(double x);
double NormalQuantile(double p);

}  // namespace aisle
