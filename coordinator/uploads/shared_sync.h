// One sync for many callers: those that wait while a sync runs share the next one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/status.h"

namespace aisle {

// Thread-safe.
class SharedSync {
 public:
  // `sync` makes durable whatever was written before it began. Runs on one caller's thread at a time.
  explicit SharedSync(std::function<Status()> sync) : sync_(std::move(sync)) {}
  // Returns after a sync that began after this call. An error says that something may not be durable, perhaps of
  // another caller: a system tells of a lost write once, so a later sync that goes well proves nothing about it.
  Status Sync();

 private:
  const std::function<Status()> sync_;
  std::mutex mutex_;
  std::condition_variable finished_;
  uint64_t wanted_ = 0;  // Calls so far; guarded by mutex_, as are the rest.
  uint64_t done_ = 0;    // Calls that a finished sync covers.
  bool running_ = false;
  uint64_t failed_through_ = 0;  // Calls that a failed sync covered, or came before one.
  Status failure_;
};

}  // namespace aisle
