// Sums and counts of a plan's metrics over some of a store's examples.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

using MetricSums = std::map<std::string, double>;

// Calls `metrics` on batches of `indices`, in evaluation mode, and adds up what they return. PlanError if it isn't a
// single finite number each, or "count" is missing; Cancelled when `stop` becomes true.
StatusOr<MetricSums> SumMetrics(Program& program, const Examples& examples, const std::vector<int64_t>& indices,
                                const std::atomic<bool>* stop = nullptr);

// The plan's metrics in its own order, each a mean: sum / count (0 if the count is 0). PlanError if one is missing.
StatusOr<std::vector<double>> MetricMeans(const MetricSums& sums, const Plan& plan);

}  // namespace aisle
