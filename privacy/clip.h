// Bounding what one update can say. Runs in the worker, on the store's own numbers: norms and reports made here are as
// private as the data and stay in the store.
#pragma once

#include <span>

#include "aggregation/update_shape.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

struct ClipReport {
  double norm = 0;          // L2 before clipping; 0 if not finite.
  bool clipped = false;     // The norm was over the limit.
  bool non_finite = false;  // There was a NaN or an infinity, and all is zero now.
};

// Scales `values` to an L2 norm of at most `clip_norm` (finite, over 0; AISLE_CHECK). A NaN or an infinity anywhere
// makes all of it zero. A zero vector stays zero. The norm is summed in double; values are rounded toward zero as
// floats, so the bound holds for what is stored.
ClipReport ClipInPlace(std::span<float> values, double clip_norm);

struct UpdateClipReport {
  ClipReport parameters;
  ClipReport metrics;
};

// A whole update of `shape`, ready for the Quantizer: the parameters' deltas clipped to shape.parameter_clip(), then
// the metrics (in the plan's order and their own units) as slots within shape.metric_clip(). A NaN or an infinity among
// the deltas makes the whole vector zero, metrics too. InvalidArgument if a length doesn't fit the shape.
StatusOr<SecretVector<float>> ClippedUpdate(std::span<const float> deltas, std::span<const double> metrics,
                                            const UpdateShape& shape, UpdateClipReport* report = nullptr);

}  // namespace aisle
