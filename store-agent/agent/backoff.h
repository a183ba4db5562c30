// How long to wait before trying again: exponential back-off with full jitter (Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015), so that a chain's stores spread out after an outage.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "base/random.h"

namespace aisle::agent {

inline constexpr absl::Duration kBackoffBase = absl::Milliseconds(200);
inline constexpr absl::Duration kBackoffCap = absl::Seconds(60);

// Counts failures in a row and draws the next wait. A value; its owner persists nothing of it.
class Backoff {
 public:
  // Uniform in [0, min(cap, base * 2^n)], where n is the number of failures before this one since Reset.
  absl::Duration Next(RandomSource& random);
  void Reset() { failures_ = 0; }
  uint32_t failures() const { return failures_; }

 private:
  uint32_t failures_ = 0;
};

}  // namespace aisle::agent
