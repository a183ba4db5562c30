// Why a job is as it is: what ended it, or what keeps it. Pure.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <vector>

#include "coordinator/catalog/records.h"
#include "coordinator/explain/explanation.h"

namespace aisle {

struct JobFacts {
  JobRecord job;
  std::vector<RoundRecord> rounds;  // The latest, oldest first; the last one may be open.
  size_t stores_enrolled = 0;       // In the chain, not revoked.
  uint32_t cohort_min = 0;          // Of the plan; 0: unknown.
  std::optional<JobId> goes_first;  // An active job of higher priority, if there is one.
};

Explanation ExplainJob(const JobFacts& facts, absl::Time now);

}  // namespace aisle
