// Why a round is as it is: who was left out, who kept it waiting, what ended it. Pure: told from its record alone,
// which its journal has filled (coordinator/driver/round_story.h).
#pragma once

#include <absl/time/time.h>

#include <vector>

#include "coordinator/catalog/records.h"
#include "coordinator/explain/explanation.h"

namespace aisle {

// A phase or a store counts as slow only from here on; below, nobody would ask.
inline constexpr absl::Duration kSlowFrom = absl::Seconds(1);

// `before`: committed rounds of the same job, to tell slow from usual; may be empty. The record may be of a round that
// is still open.
Explanation ExplainRound(const RoundRecord& round, const std::vector<RoundRecord>& before, absl::Time now);

// The weightiest cause of an aborted round, as ExplainRound has it; empty if it has none.
Finding MainCause(const RoundRecord& round, absl::Time now);

}  // namespace aisle
