// One customer's gradient as integers, where most of it is a sum of outer products that is never written out.
//
// The gradient of a weight that is applied to inputs is  Z = sum over r of g_r x_r^T,  with x_r an input of the weight
// and g_r the loss's gradient at the output that it gave (Goodfellow 2015, "Efficient Per-Example Gradient
// Computations"; Li et al. 2021, "Large Language Models Can Be Strong Differentially Private Learners", ghost
// clipping). Its norm comes from dot products:  |Z|^2 = sum over r, s of (g_r . g_s)(x_r . x_s).
//
// Here x_r and g_r are each scaled and rounded to integers, so that Z is a matrix of integers on the fine grid of
// UnitSum, and its norm is found exactly, in 128-bit integers: no rounding lies between what is added and what is
// checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aisle {

// The rows of one weight, and where their integers go. All pointers outlive the calls.
struct FactorRows {
  size_t inputs = 0;  // Numbers in each x; 0 for a table (embedding), where x_r is 1 at `ids[r]` and 0 elsewhere.
  size_t outputs = 0;
  std::vector<const float*> x;
  std::vector<int64_t> ids;
  std::vector<const float*> g;
  std::vector<double*> fine_x;
  std::vector<double*> fine_g;
};

// One customer: rows of weights, and the rest of its gradient written out.
struct UnitRows {
  std::vector<FactorRows> factors;
  std::span<const float> rest;
  std::span<double> fine_rest;
};

// The L2 norm of the gradient, unrounded; not finite if any number isn't.
double NormOf(const UnitRows& unit);

// Most that one customer's products may add up to in a coordinate, disregarding signs; and so what keeps sums in double
// exact: every partial sum stays an integer under 2^53.
inline constexpr double kLoadMax = 0x1p40;

// Writes the integers of `scale` * the gradient and returns true if their exact norm is within `norm_max` and the load
// of every coordinate within kLoadMax. Otherwise returns false, and what was written must not be used. `scale` is
// finite; `load` becomes a bound on what any coordinate's products add up to.
//
// The result is a function of this customer's numbers, of `scale` and of `norm_max` alone.
bool MakeFine(const UnitRows& unit, double scale, double norm_max, double& load);

}  // namespace aisle
