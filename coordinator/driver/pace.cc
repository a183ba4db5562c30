#include "coordinator/driver/pace.h"

#include <algorithm>

namespace aisle {

absl::Duration ComeBackAfter(const PacePolicy& policy, size_t fleet, RandomSource& random) {
  const absl::Duration even = absl::Seconds(static_cast<double>(fleet) / policy.check_ins_per_second);
  const absl::Duration spread = std::clamp(even, policy.come_back_min, policy.come_back_max);
  return spread * (0.5 + random.Fraction());
}

}  // namespace aisle
