// One customer's gradient as integers, where most of it is a sum of outer products that is never written out.
//
// The gradient of a weight that is applied to inputs is  Z = sum over r of g_r x_r^T,  with x_r an input of the weight
// and g_r the loss's gradient at the output that it gave (Goodfellow 2015, "Efficient Per-Example Gradient
// Computations"; Li et al. 2021, "Large Language Models Can Be Strong Differentially Private Learners", ghost
// clipping). Its norm comes from dot products:  |Z|^2 = sum over r, s of (g_r . g_s)(x_r . x_s).
//
// Here x_r and g_r are each scaled and rounded to 16-bit integers, so that Z is a matrix of integers on the fine grid
// of UnitSum, and its norm is found exactly, in 128-bit integers: no rounding lies between what is added and what is
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
  int16_t* fine_x = nullptr;      // [rows, inputs]
  int16_t* fine_g = nullptr;      // [rows, outputs]
  int32_t* fine_table = nullptr;  // [rows, outputs], in place of both for a table.
  int32_t* loads = nullptr;       // [rows]: the most that a row's product has in a coordinate; not for a table.
};

// One customer: rows of weights, and the rest of its gradient written out.
struct UnitRows {
  std::vector<FactorRows> factors;
  std::span<const float> rest;
  std::span<int32_t> fine_rest;
};

// The L2 norm of the gradient, unrounded; not finite if any number isn't.
double NormOf(const UnitRows& unit);

// The largest norm_max that makes sense: whole numbers' squares are still exact.
inline constexpr double kFineNormMax = 0x1p26;

// Writes the integers of `scale` * the gradient, and loads of at most 2^30, and returns true if their exact norm is
// within `norm_max` (at most kFineNormMax). Otherwise returns false, and what was written must not be used: also where
// rows are so large, and take each other away, that 16 bits can't hold them. `scale` is finite and not zero.
//
// The result is a function of this customer's numbers, of `scale` and of `norm_max` alone.
bool MakeFine(const UnitRows& unit, double scale, double norm_max);

}  // namespace aisle
