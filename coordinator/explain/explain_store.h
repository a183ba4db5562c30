// Why a store takes no part, or how it does. Pure.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <vector>

#include "coordinator/catalog/records.h"
#include "coordinator/explain/absence.h"
#include "coordinator/explain/explanation.h"

namespace aisle {

struct StoreFacts {
  StoreAtHand store;
  std::optional<RoundId> works_for;  // A round that is open.
  std::vector<Opening> openings;     // Of every active job.
  std::vector<RoundRecord> rounds;   // The latest closed ones of all jobs that it had a seat in, newest first.
  absl::Duration heard_within;       // A store whose latest check-in is older counts as silent.
  absl::Duration skew_max = absl::Minutes(2);
};

Explanation ExplainStore(const StoreFacts& facts, absl::Time now);

}  // namespace aisle
