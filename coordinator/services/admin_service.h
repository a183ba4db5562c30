// Admin over gRPC: what the data team and operations ask. Every call needs a certificate whose role is admin.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "aisle/v1/admin.grpc.pb.h"
#include "base/thread_pool.h"
#include "coordinator/backup/backup.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

class AdminService final : public v1::Admin::CallbackService {
 public:
  // All must outlive the server.
  AdminService(Coordinator& coordinator, BlobStore& blobs, BackupDesk& backups, ThreadPool& disk, ChainName chain,
               const Clock& clock);

  grpc::ServerUnaryReactor* GetOverview(grpc::CallbackServerContext*, const v1::GetOverviewRequest*,
                                        v1::Overview*) override;
  grpc::ServerReadReactor<v1::PutBlobRequest>* PutBlob(grpc::CallbackServerContext*, v1::PutBlobResponse*) override;
  grpc::ServerWriteReactor<v1::FetchBlobResponse>* FetchBlob(grpc::CallbackServerContext*,
                                                             const v1::FetchBlobRequest*) override;
  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext*, const v1::SubmitJobRequest*, v1::Job*) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext*, const v1::CancelJobRequest*, v1::Job*) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext*, const v1::GetJobRequest*, v1::Job*) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext*, const v1::ListJobsRequest*,
                                     v1::ListJobsResponse*) override;
  grpc::ServerUnaryReactor* GetRound(grpc::CallbackServerContext*, const v1::GetRoundRequest*, v1::Round*) override;
  grpc::ServerUnaryReactor* ListRounds(grpc::CallbackServerContext*, const v1::ListRoundsRequest*,
                                       v1::ListRoundsResponse*) override;
  grpc::ServerUnaryReactor* AddStore(grpc::CallbackServerContext*, const v1::AddStoreRequest*,
                                     v1::AddStoreResponse*) override;
  grpc::ServerUnaryReactor* RevokeStore(grpc::CallbackServerContext*, const v1::RevokeStoreRequest*,
                                        v1::Store*) override;
  grpc::ServerUnaryReactor* ReinstateStore(grpc::CallbackServerContext*, const v1::ReinstateStoreRequest*,
                                           v1::Store*) override;
  grpc::ServerUnaryReactor* ListStores(grpc::CallbackServerContext*, const v1::ListStoresRequest*,
                                       v1::ListStoresResponse*) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext*, const v1::ListModelsRequest*,
                                       v1::ListModelsResponse*) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext*, const v1::GetModelRequest*, v1::Model*) override;
  grpc::ServerWriteReactor<v1::JobSnapshot>* WatchJob(grpc::CallbackServerContext*,
                                                      const v1::WatchJobRequest*) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext*, const v1::ExplainRequest*, v1::Explanation*) override;
  grpc::ServerWriteReactor<v1::BackUpResponse>* BackUp(grpc::CallbackServerContext*, const v1::BackUpRequest*) override;

 private:
  Status Authorize(const grpc::CallbackServerContext& context) const;
  // Authorizes, then answers with what `look` finds on the coordinator's executor.
  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context, std::function<Status(const Coordinator&)> look);

  Coordinator& coordinator_;
  BlobStore& blobs_;
  BackupDesk& backups_;
  ThreadPool& disk_;
  const ChainName chain_;
  const Clock& clock_;
  const absl::Time started_;
};

}  // namespace aisle
