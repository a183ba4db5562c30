// Tells the agent when the site's training hours begin and end, so that headquarters learns of it at the next check-in.
#pragma once

#include <functional>
#include <optional>

#include "base/executor.h"
#include "base/random.h"
#include "store-agent/policy/hours.h"

namespace aisle {

inline constexpr absl::Duration kHoursSpread = absl::Seconds(30);  // Stores of a chain keep the same hours.

// Owned and used on the executor's thread, or before it runs.
class HoursWatch {
 public:
  // `on_change` is called within kHoursSpread after each boundary.
  HoursWatch(Executor& executor, const Hours& hours, RandomSource& random, std::function<void()> on_change);
  void Watch();

 private:
  Executor& executor_;
  const Hours& hours_;
  RandomSource& random_;
  std::function<void()> on_change_;
};

}  // namespace aisle
