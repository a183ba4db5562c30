#include "coordinator/uploads/folder_sync.h"

#include "base/storage/files.h"

namespace aisle {

Status FolderSync::Sync() {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = ++wanted_;
  finished_.wait(lock, [&] { return done_ >= ticket || !running_; });
  if (done_ >= ticket) return last_;
  running_ = true;
  const uint64_t covered = wanted_;  // Everyone who has come by now has renamed already.
  lock.unlock();
  Status synced = SyncFolder(folder_);
  lock.lock();
  running_ = false;
  done_ = covered;
  last_ = synced;
  finished_.notify_all();
  return synced;
}

}  // namespace aisle
