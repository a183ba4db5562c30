#include "coordinator/uploads/shared_sync.h"

namespace aisle {

Status SharedSync::Sync() {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = ++wanted_;
  finished_.wait(lock, [&] { return done_ >= ticket || !running_; });
  if (done_ >= ticket) return ticket <= failed_through_ ? failure_ : OkStatus();
  running_ = true;
  const uint64_t covered = wanted_;  // Everyone who has come by now has written already.
  lock.unlock();
  Status synced = sync_();
  lock.lock();
  running_ = false;
  done_ = covered;
  if (!synced.ok()) {
    failed_through_ = covered;
    failure_ = synced;
  }
  finished_.notify_all();
  return synced;
}

}  // namespace aisle
