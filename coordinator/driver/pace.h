// Pace steering: when to come back, so that ten thousand stores never stampede.
#pragma once

#include <absl/time/time.h>

#include <cstddef>

#include "base/random.h"

namespace aisle {

struct PacePolicy {
  // What the coordinator likes to see of the whole fleet: ten thousand stores then come within the presence window.
  double check_ins_per_second = 200;
  absl::Duration come_back_min = absl::Milliseconds(50);
  absl::Duration come_back_max = absl::Minutes(10);
  absl::Duration hold_max = absl::Seconds(20);  // How long a check-in is held at most.
  size_t waiting_max = 2000;                    // Held check-ins at once; past that, stores are told to come back.
};

// The pause that spreads `fleet` stores evenly at the wanted rate, jittered over [0.5, 1.5) of itself.
absl::Duration ComeBackAfter(const PacePolicy& policy, size_t fleet, RandomSource& random);

}  // namespace aisle
