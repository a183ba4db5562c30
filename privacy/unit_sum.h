// The one sum of mode customer: over the sampled units, of each one's clipped vector in integers. Removing or adding
// one unit moves it by an integer vector of L2 norm at most Delta = quantizer.scale(), exactly: that is the sensitivity
// the noise is made for. No division, no average, nothing that depends on how many units there were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

// Not thread-safe. Memory: 4 bytes a coordinate, 12 once more than about 2^31 / Delta units came.
class UnitSum {
 public:
  UnitSum(const UpdateShape& shape, const Quantizer& quantizer);

  size_t length() const { return shape_.length(); }
  const UpdateShape& shape() const { return shape_; }

  // Adds one unit: `deltas` (shape.parameter_count() floats) clipped to shape.parameter_clip(), `metrics` (in their own
  // units) as slots within shape.metric_clip(), both scaled to the grid and truncated toward zero. `norm` is
  // L2Norm(deltas); should it be wrong, the exact 128-bit check of the integers still holds the bound. A unit whose
  // norm isn't finite adds nothing at all. InvalidArgument if a length doesn't fit the shape: then nothing was added.
  Status Add(std::span<const float> deltas, double norm, std::span<const double> metrics);

  // For paths that sum many units' parameters at once, on a finer grid on which C is 2^kFineNormBits steps (see
  // worker/customers/outer_products.h): adds `totals`, of the coordinates from `begin` on, truncated to this grid. The
  // caller promises that the totals are exact, that one unit changes all of them together by an integer vector within
  // fine_norm_max(), and that each coordinate comes once for all units of a release: the truncation of the totals then
  // moves by at most Delta (sqrt(parameter_count) is kept free for it). Every unit's metrics come in before, through
  // AddMetrics.
  static constexpr int kFineNormBits = 26;
  int fine_bits() const { return fine_bits_; }  // A step of this grid is 2^fine_bits() of the finer one.
  double fine_scale() const { return Factor() * static_cast<double>(int64_t{1} << fine_bits_); }
  double fine_norm_max() const { return fine_norm_max_; }
  void AddFineTotals(size_t begin, std::span<const int32_t> totals);
  void AddFineTotals(size_t begin, std::span<const int64_t> totals);
  Status AddMetrics(std::span<const double> metrics);

  // What was added so far, coordinate by coordinate, and its way into a sum to which nothing was added yet: adding goes
  // on there as it would have here. TakeUp's length is length(), else it is our bug.
  SecretVector<int64_t> SoFar() const;
  void TakeUp(std::span<const int64_t> so_far);

  // The sum, each coordinate clamped to +-(2^31 - 1): clamping moves no two sums further apart. Empties this.
  SecretVector<int32_t> Take();

 private:
  double Factor() const;  // Delta / C.
  std::vector<float> SlotsOf(std::span<const double> metrics) const;
  Status CheckMetrics(std::span<const double> metrics) const;
  std::span<int32_t> Recent();
  void MakeRoom();
  void Settle();

  UpdateShape shape_;
  Quantizer quantizer_;
  int fine_bits_ = 0;
  double fine_norm_max_ = 0;
  size_t adds_max_ = 0;  // Units that `recent_` holds without wrapping.
  size_t adds_ = 0;
  SecretVector<int32_t> recent_;   // Empty until the first unit came.
  SecretVector<int64_t> settled_;  // Empty until `recent_` was full once.
};

}  // namespace aisle
