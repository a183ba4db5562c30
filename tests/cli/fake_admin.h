// A coordinator's Admin service in this process, over real mTLS, whose answers a test sets and whose questions it
// reads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aisle/v1/admin.grpc.pb.h"
#include "base/identity/chain_folder.h"
#include "base/net/transport.h"

namespace aisle::cli {

class FakeAdmin final : public v1::Admin::Service {
 public:
  // Makes a chain in `folder` and listens on a port of its own.
  explicit FakeAdmin(const std::string& folder);
  ~FakeAdmin() override;

  std::string address() const;
  const std::string& identity() const { return folder_; }
  // "--coordinator", address, "--identity", folder.
  std::vector<std::string> Connection() const;

  // What it answers. Set before the call; the service only reads them under `mutex`.
  std::mutex mutex;
  v1::Overview overview;
  v1::ListJobsResponse jobs;
  v1::ListRoundsResponse rounds;
  v1::ListStoresResponse stores;
  v1::ListModelsResponse models;
  std::vector<v1::JobSnapshot> snapshots;
  v1::Explanation explanation;
  std::vector<v1::BackUpResponse> backup;
  std::map<std::string, std::string> blobs;  // By raw digest.
  size_t break_stream_after = 0;  // FetchBlob and WatchJob break off, once, after so many messages; 0: never.
  grpc::Status refuse_submit;

  // What it was asked.
  v1::SubmitJobRequest submitted;
  v1::RevokeStoreRequest revoked;
  v1::ReinstateStoreRequest reinstated;
  v1::ExplainRequest explained;
  v1::BackUpRequest backed_up;
  int watches = 0;

 private:
  grpc::Status GetOverview(grpc::ServerContext*, const v1::GetOverviewRequest*, v1::Overview* response) override;
  grpc::Status PutBlob(grpc::ServerContext*, grpc::ServerReader<v1::PutBlobRequest>* reader,
                       v1::PutBlobResponse* response) override;
  grpc::Status FetchBlob(grpc::ServerContext*, const v1::FetchBlobRequest* request,
                         grpc::ServerWriter<v1::FetchBlobResponse>* writer) override;
  grpc::Status SubmitJob(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) override;
  grpc::Status CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request, v1::Job* response) override;
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest*, v1::ListJobsResponse* response) override;
  grpc::Status GetRound(grpc::ServerContext*, const v1::GetRoundRequest* request, v1::Round* response) override;
  grpc::Status ListRounds(grpc::ServerContext*, const v1::ListRoundsRequest* request,
                          v1::ListRoundsResponse* response) override;
  grpc::Status AddStore(grpc::ServerContext*, const v1::AddStoreRequest* request,
                        v1::AddStoreResponse* response) override;
  grpc::Status RevokeStore(grpc::ServerContext*, const v1::RevokeStoreRequest* request, v1::Store* response) override;
  grpc::Status ReinstateStore(grpc::ServerContext*, const v1::ReinstateStoreRequest* request,
                              v1::Store* response) override;
  grpc::Status ListStores(grpc::ServerContext*, const v1::ListStoresRequest*,
                          v1::ListStoresResponse* response) override;
  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest*,
                          v1::ListModelsResponse* response) override;
  grpc::Status GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* response) override;
  grpc::Status WatchJob(grpc::ServerContext*, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobSnapshot>* writer) override;
  grpc::Status Explain(grpc::ServerContext*, const v1::ExplainRequest* request, v1::Explanation* response) override;
  grpc::Status BackUp(grpc::ServerContext*, const v1::BackUpRequest* request,
                      grpc::ServerWriter<v1::BackUpResponse>* writer) override;
  const v1::Job* FindJob(const std::string& job) const;

  std::string folder_;
  RunningServer server_;
};

}  // namespace aisle::cli
