// What one round may do, fixed when it opens and written into its journal: the same for every replay.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>

#include "base/secure_sum.h"
#include "coordinator/round/turn.h"

namespace aisle {

// What the secure sum adds. A cohort's terms follow from it, the round and the attempt.
struct SumPolicy {
  Digest plan;                    // Of the bundle.
  uint32_t corrupt_permille = 0;  // See CohortTerms.
  uint32_t dropout_permille = 0;
  absl::Duration summing_for = absl::Seconds(30);  // Each of Advertising, Sharing, Confirming and Unmasking.
  uint32_t attempts_max = 3;                       // Cohorts formed at most, in [1, kCohortAttemptsMax].
  bool operator==(const SumPolicy&) const = default;
};

struct RoundPolicy {
  uint32_t cohort_min = 1;        // Fewer updates than this and nothing is published.
  uint32_t cohort_target = 1;     // Training stops asking once this many stores have trained.
  uint32_t selection_wanted = 1;  // Stores to ask: the target with over-selection, bounded by the stores there are.
  Turn turn;                      // Whose turn it was when the round opened.
  absl::Duration turn_wait;       // A full round waits so long for stores whose turn it is; zero takes whoever came.
  absl::Duration selecting_for = absl::Seconds(30);  // One deadline per phase.
  absl::Duration training_for = absl::Minutes(10);
  absl::Duration collecting_for = absl::Minutes(2);
  uint64_t update_size = 4;           // Bytes of one finished vector.
  std::optional<SumPolicy> sum = {};  // None: updates are added as they are.
  bool operator==(const RoundPolicy&) const = default;
};

// Of a round with the secure sum.
CohortTerms TermsOf(const RoundId& round, const RoundPolicy& policy, uint32_t attempt);

}  // namespace aisle
