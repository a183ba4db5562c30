// Lets a revocation end a stream from outside, whether the stream waits for its peer or is at work.
#pragma once

#include <mutex>
#include <utility>

#include "base/status.h"

namespace aisle {

// One per stream. Thread-safe. Of the stream and its cutter exactly one finishes the call.
class CutOff {
 public:
  // Calls `begin`, which starts to wait for the peer (StartRead, StartWrite). If the stream was cut it doesn't, and
  // returns why: then the stream finishes with that.
  template <typename Begin>
  Status Wait(Begin begin) {
    const std::lock_guard lock(mutex_);
    if (!cut_.ok()) return cut_;
    waiting_ = true;
    begin();
    return OkStatus();
  }
  // The wait has ended. False if the cutter finished the call meanwhile: then nothing more may be done.
  bool Arrived() {
    const std::lock_guard lock(mutex_);
    waiting_ = false;
    return !finished_;
  }
  // True if the cutter must finish the call, since the stream waits; false if the stream will, or has.
  bool Cut(Status why) {
    const std::lock_guard lock(mutex_);
    cut_ = std::move(why);
    finished_ = finished_ || waiting_;
    return std::exchange(waiting_, false);
  }

 private:
  std::mutex mutex_;
  Status cut_;             // Guarded by mutex_, as are the rest.
  bool waiting_ = false;   // For the peer: a read or write is under way.
  bool finished_ = false;  // By the cutter.
};

}  // namespace aisle
