// Makes renames in one folder durable for many callers at once: those that wait while a sync runs share the next one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/status.h"

namespace aisle {

// Thread-safe.
class FolderSync {
 public:
  explicit FolderSync(std::string folder) : folder_(std::move(folder)) {}
  // Returns after a sync that began after this call.
  Status Sync();

 private:
  const std::string folder_;
  std::mutex mutex_;
  std::condition_variable finished_;
  uint64_t wanted_ = 0;  // Calls so far; guarded by mutex_, as are the rest.
  uint64_t done_ = 0;    // Calls that a finished sync covers.
  bool running_ = false;
  Status last_;
};

}  // namespace aisle
