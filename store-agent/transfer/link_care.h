// What the store's link has earned: streams begin with small messages until one of some size got through whole, and
// again after each cut. See base/pieces.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace aisle {

inline constexpr uint64_t kTrustworthySize = uint64_t{1}
                                             << 20;  // Bytes that a stream carries before it tells anything.

// Thread-safe.
class LinkCare {
 public:
  bool careful() const { return careful_.load(std::memory_order_relaxed); }
  void StreamEnded(bool whole, uint64_t carried) {
    if (!whole) careful_.store(true, std::memory_order_relaxed);
    if (whole && carried >= kTrustworthySize) careful_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> careful_ = true;
};

}  // namespace aisle
