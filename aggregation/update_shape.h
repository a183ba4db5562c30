// What the one vector of an update holds: all trainable parameters, then the plan's metric slots. One L2 bound C covers
// both, so that metrics leave the store inside the same clipped and noised vector as the parameters.
//
//   parameters: deltas (trained - broadcast) in layout order, clipped to  C * sqrt(1 - s^2)
//   slot j:     clamp(value / bound_j, -1, 1) * C * s / sqrt(#metrics),  so all slots together are within  C * s
#pragma once

#include <cstddef>
#include <vector>

#include "base/status.h"

namespace aisle {

inline constexpr size_t kMetricsMax = 68;  // A plan's own 64, and four that privacy modes add.

struct UpdateShapeOptions {
  size_t parameter_count = 0;
  std::vector<double> metric_bounds;  // In plan.toml order; each finite and over 0.
  double clip_norm = 0;               // C.
  double metric_share = 0;            // s in (0, 0.9] with metrics; without metrics it is taken as 0.
};

class UpdateShape {
 public:
  // InvalidArgument naming the option and its range.
  static StatusOr<UpdateShape> Make(UpdateShapeOptions options);

  size_t length() const { return parameter_count() + metric_count(); }
  size_t parameter_count() const { return options_.parameter_count; }
  size_t metric_count() const { return options_.metric_bounds.size(); }
  double clip_norm() const { return options_.clip_norm; }
  double parameter_clip() const { return parameter_clip_; }  // C * sqrt(1 - s^2)
  double metric_clip() const { return metric_clip_; }        // C * s

  double metric_bound(size_t j) const { return options_.metric_bounds[j]; }

  // A store's value of metric j as its slot. NaN counts as 0, so that nothing but a number can come out.
  float MetricSlot(size_t j, double value) const;
  // The inverse, for a mean of slots. Linear, so the mean of slots gives the mean of (clamped) values.
  double MetricValue(size_t j, double slot) const;

 private:
  UpdateShape() = default;
  UpdateShapeOptions options_;
  double parameter_clip_ = 0;
  double metric_clip_ = 0;
  double slot_max_ = 0;  // C * s / sqrt(#metrics)
};

}  // namespace aisle
