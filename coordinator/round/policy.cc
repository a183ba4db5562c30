#include "coordinator/round/policy.h"

#include "base/check.h"

namespace aisle {

CohortTerms TermsOf(const RoundId& round, const RoundPolicy& policy, uint32_t attempt) {
  AISLE_CHECK(policy.sum.has_value());
  return {.round = round,
          .attempt = attempt,
          .plan = policy.sum->plan,
          .length = policy.update_size / 4,
          .cohort_min = policy.cohort_min,
          .corrupt_permille = policy.sum->corrupt_permille,
          .dropout_permille = policy.sum->dropout_permille};
}

}  // namespace aisle
