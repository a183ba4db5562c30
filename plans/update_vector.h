// The one place where a plan's public numbers become the shape and the grid of its update vector. Worker, agent and
// coordinator all ask here, so that they can't disagree.
#pragma once

#include "aggregation/layout.h"
#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle {

// The plan as it stands in a round whose clipping norm adaptive clipping has moved to `clip_norm`; 0: as it was.
Plan WithClipNorm(Plan plan, double clip_norm);

// What the vector holds: the trainable parameters of `weights`, then MetricSlotsOf(plan).
StatusOr<UpdateShape> UpdateShapeOf(const Plan& plan, const Layout& weights);

// The grid it lives on. A round never sums more vectors than the plan's cohort target: coordinator/round/training.cc
// stops there.
StatusOr<Quantizer> QuantizerOf(const Plan& plan, const UpdateShape& shape);

}  // namespace aisle
