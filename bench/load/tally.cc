#include "bench/load/tally.h"

#include <algorithm>
#include <utility>

namespace aisle {

void Tally::Took(Call call, Clock::duration duration) {
  const std::lock_guard lock(mutex_);
  milliseconds_[static_cast<size_t>(call)].push_back(std::chrono::duration<float, std::milli>(duration).count());
}

void Tally::Failed(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    ++unanswered_;
    return;
  }
  const std::lock_guard lock(mutex_);
  ++rejections_[std::to_string(status.error_code()) + ": " + status.error_message()];
}

Quantiles Tally::TakeQuantiles(Call call) {
  std::vector<float> times;
  {
    const std::lock_guard lock(mutex_);
    times = std::exchange(milliseconds_[static_cast<size_t>(call)], {});
  }
  if (times.empty()) return {};
  std::ranges::sort(times);
  return {.count = times.size(),
          .median = times[times.size() / 2],
          .p99 = times[times.size() * 99 / 100],
          .longest = times.back()};
}

std::map<std::string, uint64_t> Tally::rejections() const {
  const std::lock_guard lock(mutex_);
  return rejections_;
}

}  // namespace aisle
