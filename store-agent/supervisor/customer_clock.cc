#include "store-agent/supervisor/customer_clock.h"

#include <algorithm>
#include <ctime>

namespace aisle {
namespace {

// Several at once are run in lanes, whose time hangs on how many there are and hardly on what is in them.
constexpr size_t kTimesMax = 8;
constexpr absl::Duration kPause = absl::Milliseconds(1);  // At least, between two looks.

CustomerClock::Instant In(absl::Duration time) {
  return std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(std::max(time, kPause));
}

}  // namespace

absl::Duration CpuTimeOf(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return absl::ZeroDuration();
  return absl::DurationFromTimespec(used);
}

void CustomerClock::Begin(size_t customers) {
  if (customers == 0) {
    look_at_ = Instant::max();
    return;
  }
  const absl::Duration time = each_ * static_cast<int64_t>(std::min(customers, kTimesMax));
  until_ = CpuTimeOf(pid_) + time;
  look_at_ = In(time);
}

bool CustomerClock::IsOver() {
  const absl::Duration left = until_ - CpuTimeOf(pid_);
  if (left <= absl::ZeroDuration()) return true;
  look_at_ = In(left);
  return false;
}

void CustomerClock::Postpone() { look_at_ = In(kPause); }

}  // namespace aisle
