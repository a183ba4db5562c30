// From the sum of a round to what HQ may know of it: the mean update and the mean metrics.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aggregation/modular_sum.h"
#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/status.h"

namespace aisle {

// `divisor` is a public constant of the plan (PrivacyContract::divisor), never the realised count: how many stores came
// is itself something about the stores, and a mean over the realised count would have unbounded sensitivity to it. With
// fewer stores the mean is therefore shrunk toward zero, with more it is stretched, by the same known factor.
struct MeanUpdate {
  std::vector<float> parameters;  // parameter_count() of them: sum * C / Delta / divisor.
  std::vector<double> metrics;    // In plan order and in the metric's own unit.
};

// One pass, one float per parameter. InvalidArgument if the lengths of sum, quantizer and shape disagree or the divisor
// isn't over 0.
StatusOr<MeanUpdate> MeanOf(const ModularSum& sum, const Quantizer& quantizer, const UpdateShape& shape,
                            double divisor);

// Mean metrics only, over `divisor`, without touching the parameters.
StatusOr<std::vector<double>> MeanMetrics(const ModularSum& sum, const Quantizer& quantizer, const UpdateShape& shape,
                                          double divisor);

}  // namespace aisle
