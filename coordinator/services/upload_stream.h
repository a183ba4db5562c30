// An update, received in chunks: checked in by the coordinator, spooled on the way, accepted at the end.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "aisle/v1/fleet.pb.h"
#include "base/thread_pool.h"
#include "coordinator/driver/coordinator.h"
#include "coordinator/services/cut_off.h"

namespace aisle {

// Deletes itself when gRPC is done with it.
class UploadStream final : public grpc::ServerReadReactor<v1::UploadRequest> {
 public:
  // `caller` may be an error: then the stream ends with it. If the caller is revoked, it ends at once. `disk` runs what
  // waits for the disk: large pieces, and the end.
  UploadStream(Coordinator& coordinator, StatusOr<Certificate> caller, ThreadPool& disk, v1::UploadResponse* response,
               std::function<void()> ended);

  void OnReadDone(bool ok) override;
  void OnCancel() override {}
  void OnDone() override;

 private:
  void ReadOn();
  void Begin();
  void TakeData();
  void TakePiece();
  void End();
  void Fail(const Status& status);

  Coordinator& coordinator_;
  StatusOr<Certificate> caller_;
  ThreadPool& disk_;
  v1::UploadResponse* response_;
  std::function<void()> ended_;
  v1::UploadRequest message_;
  UploadHeader header_;
  aisle::Upload upload_;
  CutOff cut_off_;
  uint64_t transfer_ = 0;  // The coordinator's name for this stream; 0 if it has no caller.
};

}  // namespace aisle
