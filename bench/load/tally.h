// What the stores of a load test met: how long answers took, what failed. Counted by all of them at once.
#pragma once

#include <grpcpp/support/status.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace aisle {

// Milliseconds.
struct Quantiles {
  size_t count = 0;
  double median = 0;
  double p99 = 0;
  double longest = 0;
};

// Thread-safe.
class Tally {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Call { kCheckIn, kFetch, kReport, kUpload };  // Check-ins only where none was held.
  static constexpr size_t kCalls = 4;

  void Took(Call call, Clock::duration duration);
  // A call that didn't end well. A store that was turned away stays away for that; one that got no answer tries again.
  void Failed(const grpc::Status& status);

  // Since the last call of this.
  Quantiles TakeQuantiles(Call call);
  // Ended with anything but OK and "no answer": headquarters said no. Since the beginning, by what it said.
  std::map<std::string, uint64_t> rejections() const;
  uint64_t unanswered() const { return unanswered_; }

 private:
  mutable std::mutex mutex_;
  std::vector<float> milliseconds_[kCalls];  // Guarded by mutex_, as is the next.
  std::map<std::string, uint64_t> rejections_;
  std::atomic<uint64_t> unanswered_ = 0;
};

}  // namespace aisle
