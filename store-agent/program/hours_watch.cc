#include "store-agent/program/hours_watch.h"

namespace aisle {

HoursWatch::HoursWatch(Executor& executor, const Hours& hours, RandomSource& random, std::function<void()> on_change)
    : executor_(executor), hours_(hours), random_(random), on_change_(std::move(on_change)) {}

void HoursWatch::Watch() {
  const absl::Time now = executor_.Now();
  const absl::Time boundary = hours_.IsOpen(now) ? hours_.ClosesAt(now) : hours_.OpensAt(now);
  if (boundary == absl::InfiniteFuture()) return;
  executor_.PostAt(boundary + random_.Fraction() * kHoursSpread, [this] {
    on_change_();
    Watch();
  });
}

}  // namespace aisle
