// A job, told as it changes: a snapshot at once, then the newest one whenever the last has been sent. A slow reader
// misses snapshots, never the last.
#pragma once

#include <grpcpp/grpcpp.h>

#include <mutex>

#include "aisle/v1/admin.pb.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

// Deletes itself when gRPC is done with it.
class JobWatch final : public grpc::ServerWriteReactor<v1::JobSnapshot> {
 public:
  JobWatch(Coordinator& coordinator, StatusOr<JobId> job);
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void Changed();
  void Look(const Coordinator& coordinator);
  void FinishOnce(const Status& status);

  Coordinator& coordinator_;
  StatusOr<JobId> job_;
  uint64_t watch_ = 0;
  std::mutex mutex_;
  v1::JobSnapshot sending_;  // Owned by gRPC while writing_.
  bool writing_ = false;     // Guarded by mutex_, as are the rest.
  bool dirty_ = false;
  bool last_ = false;  // `sending_` shows the job's end.
  bool finished_ = false;
};

}  // namespace aisle
