// The slots that follow the parameters in a plan's update vector: its own metrics, then those every plan of its mode
// has.
#pragma once

#include <string_view>
#include <vector>

#include "plans/plan.h"

namespace aisle {

// One for each customer in the sum, so that its mean is the share of the planned customers that were drawn.
inline constexpr std::string_view kCustomersSlot = "customers";
// One for each customer who has examples to measure metrics on, where the plan holds examples out.
inline constexpr std::string_view kMeasuredSlot = "measured";
// A customer's examples that were trained on.
inline constexpr std::string_view kExamplesSlot = "examples";
// 1/2 if the unit's norm was within the clipping norm, else -1/2: what adaptive clipping steers by.
inline constexpr std::string_view kUnclippedSlot = "unclipped";

// In the vector's order. Modes customer and local-sgd have "customers", "measured" (with validation) and
// "examples"; adaptive clipping has "unclipped".
std::vector<MetricNeed> MetricSlotsOf(const Plan& plan);

}  // namespace aisle
