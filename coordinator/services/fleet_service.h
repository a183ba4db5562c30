// Fleet over gRPC: certificates and messages become values at this door; decisions are the coordinator's.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/thread_pool.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

// Streams served at once. What a stream holds in memory is bounded (two chunks and gRPC's window), so this bounds it
// all.
inline constexpr int kTransfersMax = 256;

class FleetService final : public v1::Fleet::CallbackService {
 public:
  // `disk` runs the waits for the disk at an upload's end, so that gRPC's threads never wait. All must outlive the
  // server.
  FleetService(Coordinator& coordinator, ChainName chain, const Clock& clock, ThreadPool& disk,
               std::vector<VerifyKey> plan_keys);

  grpc::ServerUnaryReactor* Enrol(grpc::CallbackServerContext* context, const v1::EnrolRequest* request,
                                  v1::EnrolResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                  v1::RenewResponse* response) override;
  grpc::ServerUnaryReactor* CheckIn(grpc::CallbackServerContext* context, const v1::CheckInRequest* request,
                                    v1::CheckInResponse* response) override;
  grpc::ServerUnaryReactor* ReportOutcome(grpc::CallbackServerContext* context, const v1::ReportOutcomeRequest* request,
                                          v1::ReportOutcomeResponse* response) override;
  grpc::ServerUnaryReactor* SumStep(grpc::CallbackServerContext* context, const v1::SumStepRequest* request,
                                    v1::SumStepResponse* response) override;
  grpc::ServerUnaryReactor* GetUploadStatus(grpc::CallbackServerContext* context,
                                            const v1::GetUploadStatusRequest* request,
                                            v1::GetUploadStatusResponse* response) override;
  grpc::ServerWriteReactor<v1::FetchBlobResponse>* FetchBlob(grpc::CallbackServerContext* context,
                                                             const v1::FetchBlobRequest* request) override;
  grpc::ServerReadReactor<v1::UploadRequest>* Upload(grpc::CallbackServerContext* context,
                                                     v1::UploadResponse* response) override;

 private:
  StatusOr<Certificate> Caller(const grpc::CallbackServerContext& context) const;
  void AnswerRenewal(const StatusOr<Certificate>& renewed, v1::RenewResponse* response,
                     grpc::ServerUnaryReactor* reactor) const;

  Coordinator& coordinator_;
  const ChainName chain_;
  const Clock& clock_;
  ThreadPool& disk_;
  const std::vector<VerifyKey> plan_keys_;
  std::atomic<int> transfers_ = 0;
  std::atomic<uint64_t> last_call_ = 0;
};

}  // namespace aisle
