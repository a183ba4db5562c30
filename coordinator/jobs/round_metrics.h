// What the metric slots of a round's sum say, in the units people know. All of it is computed from the noised sum and
// public numbers: post-processing, which costs no privacy.
#pragma once

#include <map>
#include <string>

#include "aggregation/modular_sum.h"
#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle {

// By slot name. Modes store, local-sgd and none: means over the `stores` in the sum. Mode customer: means over its
// customers, whose number is itself an estimate from the slot "customers", published as the customers that the stores
// of a full cohort would have; where noise leaves less than a twentieth of those planned, means are over the planned
// ones. The plan's metrics are over those who had examples to measure on; "unclipped" is the share of units whose norm
// was within the clip.
StatusOr<std::map<std::string, double>> MetricsOf(const Plan& plan, const ModularSum& sum, const Quantizer& quantizer,
                                                  const UpdateShape& shape, uint32_t stores);

// The clipping norm of the next round (see AdaptiveClip), kept within [1e-6, 1e6]; 0 for a plan that doesn't adapt it.
double NextClipNorm(const PrivacyContract& contract, const std::map<std::string, double>& metrics);

}  // namespace aisle
