// The site's transfer budget: bytes sent and received per day, counted durably so that a restart forgets nothing.
//
// Days are UTC. Counts go to the disk every kSaveEvery bytes and when a transfer ends, so `kill -9` forgets less than
// that.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace aisle {

// Thread-safe.
class ByteMeter {
 public:
  static constexpr uint64_t kSaveEvery = uint64_t{4} << 20;

  // A damaged file starts a new count, with a warning: the budget is the site's comfort, not a promise to others.
  ByteMeter(std::string path, const Clock& clock);

  void CountUp(uint64_t bytes);
  void CountDown(uint64_t bytes);
  Status Save();

  uint64_t today() const;       // Both ways.
  uint64_t total_up() const;    // Since the program began.
  uint64_t total_down() const;  // Since the program began.

 private:
  int64_t DayOf(absl::Time time) const;
  void Count(uint64_t bytes, uint64_t& total);
  Status SaveLocked();

  const std::string path_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  int64_t day_ = 0;  // Days since 1970 that today_ counts for. Guarded by mutex_, as all below.
  uint64_t today_ = 0;
  uint64_t unsaved_ = 0;
  uint64_t total_up_ = 0;
  uint64_t total_down_ = 0;
};

}  // namespace aisle
