// What one round may do, fixed when it opens and written into its journal: the same for every replay.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "coordinator/round/turn.h"

namespace aisle {

struct RoundPolicy {
  uint32_t cohort_min = 1;        // Fewer updates than this and nothing is published.
  uint32_t cohort_target = 1;     // Training stops asking once this many stores have trained.
  uint32_t selection_wanted = 1;  // Stores to ask: the target with over-selection, bounded by the stores there are.
  Turn turn;                      // Whose turn it was when the round opened.
  absl::Duration turn_wait;       // A full round waits so long for stores whose turn it is; zero takes whoever came.
  absl::Duration selecting_for = absl::Seconds(30);  // One deadline per phase.
  absl::Duration training_for = absl::Minutes(10);
  absl::Duration collecting_for = absl::Minutes(2);
  uint64_t update_size = 4;  // Bytes of one finished vector.
  auto operator<=>(const RoundPolicy&) const = default;
};

}  // namespace aisle
