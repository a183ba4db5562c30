#include "privacy/clip.h"

#include <algorithm>
#include <cmath>

#include "aggregation/norm.h"
#include "base/check.h"

namespace aisle {
namespace {

// Rounding to float may lengthen each number by 2^-24; the factor leaves four times as much room.
constexpr double kClipRoom = 1 - 0x1p-22;

ClipReport WriteMetricSlots(std::span<const double> metrics, const UpdateShape& shape, std::span<float> slots) {
  bool clamped = false;
  bool non_finite = false;
  for (size_t j = 0; j < metrics.size(); ++j) {
    clamped = clamped || std::fabs(metrics[j]) > shape.metric_bound(j);
    non_finite = non_finite || !std::isfinite(metrics[j]);
    slots[j] = shape.MetricSlot(j, metrics[j]);
  }
  if (slots.empty()) return {};
  const ClipReport report = ClipInPlace(slots, shape.metric_clip());  // Only ever trims rounding.
  return {.norm = report.norm, .clipped = clamped, .non_finite = non_finite};
}

}  // namespace

ClipReport ClipInPlace(std::span<float> values, double clip_norm) {
  AISLE_CHECK(clip_norm > 0 && std::isfinite(clip_norm), "a clipping norm of {}", clip_norm);
  const double norm = L2Norm(values);
  if (!std::isfinite(norm)) {
    std::ranges::fill(values, 0.0F);
    return {.norm = 0, .clipped = false, .non_finite = true};
  }
  if (norm <= clip_norm) return {.norm = norm};
  const double factor = clip_norm / norm * kClipRoom;
  for (float& value : values) value = static_cast<float>(value * factor);
  return {.norm = norm, .clipped = true};
}

StatusOr<SecretVector<float>> ClippedUpdate(std::span<const float> deltas, std::span<const double> metrics,
                                            const UpdateShape& shape, UpdateClipReport* report) {
  if (deltas.size() != shape.parameter_count() || metrics.size() != shape.metric_count()) {
    return InvalidArgument("an update of {} parameters and {} metrics where the plan has {} and {}", deltas.size(),
                           metrics.size(), shape.parameter_count(), shape.metric_count());
  }
  SecretVector<float> update(shape.length());
  const std::span<float> parameters = update.Mutable().first(deltas.size());
  std::ranges::copy(deltas, parameters.begin());
  UpdateClipReport result;
  result.parameters = ClipInPlace(parameters, shape.parameter_clip());
  if (!result.parameters.non_finite) {
    result.metrics = WriteMetricSlots(metrics, shape, update.Mutable().subspan(deltas.size()));
  }
  if (report != nullptr) *report = result;
  return update;
}

}  // namespace aisle
