#include "aggregation/update_shape.h"

#include <algorithm>
#include <cmath>

#include "aggregation/layout.h"

namespace aisle {
namespace {

Status CheckMetrics(const UpdateShapeOptions& options) {
  if (options.metric_bounds.size() > kMetricsMax) {
    return InvalidArgument("{} metrics; the most is {}", options.metric_bounds.size(), kMetricsMax);
  }
  for (const double bound : options.metric_bounds) {
    if (!(bound > 0 && std::isfinite(bound))) {
      return InvalidArgument("a metric's bound is {}; it must be finite and over 0", bound);
    }
  }
  if (!options.metric_bounds.empty() && !(options.metric_share > 0 && options.metric_share <= 0.9)) {
    return InvalidArgument("metric_share is {}; with metrics it must be over 0 and up to 0.9", options.metric_share);
  }
  return OkStatus();
}

}  // namespace

StatusOr<UpdateShape> UpdateShape::Make(UpdateShapeOptions options) {
  if (options.parameter_count == 0 || options.parameter_count > kElementsMax) {
    return InvalidArgument("an update has {} parameters; it must have 1 to {}", options.parameter_count, kElementsMax);
  }
  if (!(options.clip_norm >= 1e-6 && options.clip_norm <= 1e6)) {
    return InvalidArgument("clip_norm is {}; it must be from 1e-6 to 1e6", options.clip_norm);
  }
  AISLE_RETURN_IF_ERROR(CheckMetrics(options));
  UpdateShape shape;
  shape.options_ = std::move(options);
  const double share = shape.metric_count() == 0 ? 0 : shape.options_.metric_share;
  shape.parameter_clip_ = shape.clip_norm() * std::sqrt(1 - share * share);
  shape.metric_clip_ = shape.clip_norm() * share;
  if (shape.metric_count() > 0) {
    shape.slot_max_ = shape.metric_clip_ / std::sqrt(static_cast<double>(shape.metric_count()));
  }
  return shape;
}

float UpdateShape::MetricSlot(size_t j, double value) const {
  if (std::isnan(value)) return 0;
  const double share = std::clamp(value / options_.metric_bounds[j], -1.0, 1.0);
  return static_cast<float>(share * slot_max_);
}

double UpdateShape::MetricValue(size_t j, double slot) const { return slot / slot_max_ * options_.metric_bounds[j]; }

}  // namespace aisle
