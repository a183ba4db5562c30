#include "tests/cli/fake_admin.h"

#include <absl/time/clock.h>
#include <grpcpp/server_builder.h>

#include "base/check.h"
#include "base/net/credentials.h"
#include "base/net/grpc_setup.h"
#include "base/storage/files.h"

namespace aisle::cli {
namespace {

grpc::Status Missing(const std::string& what) { return {grpc::StatusCode::NOT_FOUND, what}; }

}  // namespace

FakeAdmin::FakeAdmin(const std::string& folder) : folder_(folder) {
  SetUpGrpc();
  SecureRandom random;
  const absl::Time now = absl::Now();
  AISLE_CHECK(InitChain({folder, *ChainName::Parse("northwind"), {"localhost", "127.0.0.1"}}, now, random).ok());
  const auto identity = LoadTlsIdentity(ChainPaths{folder}.coordinator());
  AISLE_CHECK(identity.ok());
  grpc::ServerBuilder builder;
  ApplyServerLimits(builder);
  builder.RegisterService(this);
  auto started = StartServer(builder, "127.0.0.1:0", *MakeServerCredentials(*identity));
  AISLE_CHECK(started.ok());
  server_ = *std::move(started);
  overview.set_chain("northwind");
}

FakeAdmin::~FakeAdmin() { server_.server->Shutdown(absl::ToChronoTime(absl::Now())); }

std::string FakeAdmin::address() const { return "127.0.0.1:" + std::to_string(server_.port); }

std::vector<std::string> FakeAdmin::Connection() const { return {"--coordinator", address(), "--identity", folder_}; }

const v1::Job* FakeAdmin::FindJob(const std::string& job) const {
  for (const v1::Job& each : jobs.jobs()) {
    if (each.id() == job) return &each;
  }
  return nullptr;
}

grpc::Status FakeAdmin::GetOverview(grpc::ServerContext*, const v1::GetOverviewRequest*, v1::Overview* response) {
  const std::lock_guard lock(mutex);
  *response = overview;
  return {};
}

grpc::Status FakeAdmin::Explain(grpc::ServerContext*, const v1::ExplainRequest* request, v1::Explanation* response) {
  const std::lock_guard lock(mutex);
  explained = *request;
  *response = explanation;
  return {};
}

grpc::Status FakeAdmin::BackUp(grpc::ServerContext*, const v1::BackUpRequest* request,
                               grpc::ServerWriter<v1::BackUpResponse>* writer) {
  const std::lock_guard lock(mutex);
  backed_up = *request;
  for (const v1::BackUpResponse& message : backup) {
    if (!writer->Write(message)) break;
  }
  return {};
}

grpc::Status FakeAdmin::PutBlob(grpc::ServerContext*, grpc::ServerReader<v1::PutBlobRequest>* reader,
                                v1::PutBlobResponse* response) {
  v1::PutBlobRequest request;
  std::string bytes;
  v1::BlobRef blob;
  while (reader->Read(&request)) {
    if (request.has_blob()) blob = request.blob();
    bytes += request.data();
  }
  if (Sha256::Of(bytes).view() != blob.sha256()) return {grpc::StatusCode::DATA_LOSS, "wrong hash"};
  const std::lock_guard lock(mutex);
  blobs[blob.sha256()] = bytes;
  *response->mutable_blob() = blob;
  return {};
}

grpc::Status FakeAdmin::FetchBlob(grpc::ServerContext*, const v1::FetchBlobRequest* request,
                                  grpc::ServerWriter<v1::FetchBlobResponse>* writer) {
  constexpr size_t kPiece = 1000;
  const std::lock_guard lock(mutex);
  const auto found = blobs.find(request->sha256());
  if (found == blobs.end()) return Missing("no such blob");
  size_t sent = 0;
  for (size_t at = request->offset_bytes(); at < found->second.size(); at += kPiece) {
    if (break_stream_after > 0 && sent++ == break_stream_after) {
      break_stream_after = 0;
      return {grpc::StatusCode::UNAVAILABLE, "the link broke"};
    }
    v1::FetchBlobResponse response;
    response.set_data(found->second.substr(at, kPiece));
    response.set_total_size_bytes(found->second.size());
    if (!writer->Write(response)) break;
  }
  return {};
}

grpc::Status FakeAdmin::SubmitJob(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) {
  const std::lock_guard lock(mutex);
  submitted = *request;
  if (!refuse_submit.ok()) return refuse_submit;
  response->set_id(request->job());
  response->set_state(v1::JOB_STATE_QUEUED);
  response->set_rounds_total(request->rounds());
  response->set_plan_sha256(request->plan_sha256());
  return {};
}

grpc::Status FakeAdmin::CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request, v1::Job* response) {
  const std::lock_guard lock(mutex);
  const v1::Job* job = FindJob(request->job());
  if (job == nullptr) return Missing("job " + request->job() + " is unknown");
  *response = *job;
  response->set_state(v1::JOB_STATE_CANCELLED);
  response->set_state_reason(request->reason());
  return {};
}

grpc::Status FakeAdmin::GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) {
  const std::lock_guard lock(mutex);
  const v1::Job* job = FindJob(request->job());
  if (job == nullptr) return Missing("job " + request->job() + " is unknown");
  *response = *job;
  return {};
}

grpc::Status FakeAdmin::ListJobs(grpc::ServerContext*, const v1::ListJobsRequest*, v1::ListJobsResponse* response) {
  const std::lock_guard lock(mutex);
  *response = jobs;
  return {};
}

grpc::Status FakeAdmin::GetRound(grpc::ServerContext*, const v1::GetRoundRequest* request, v1::Round* response) {
  const std::lock_guard lock(mutex);
  for (const v1::Round& round : rounds.rounds()) {
    if (round.round().job() == request->round().job() && round.round().number() == request->round().number()) {
      *response = round;
      return {};
    }
  }
  return Missing("no such round");
}

grpc::Status FakeAdmin::ListRounds(grpc::ServerContext*, const v1::ListRoundsRequest* request,
                                   v1::ListRoundsResponse* response) {
  const std::lock_guard lock(mutex);
  const int last = static_cast<int>(request->last());
  for (int i = std::max(0, rounds.rounds_size() - last); i < rounds.rounds_size(); ++i) {
    *response->add_rounds() = rounds.rounds(i);
  }
  return {};
}

grpc::Status FakeAdmin::AddStore(grpc::ServerContext*, const v1::AddStoreRequest* request,
                                 v1::AddStoreResponse* response) {
  response->set_store(request->store());
  response->set_code("0123456789abcdef0123456789abcdef");
  response->set_code_expires_unix_ms(absl::ToUnixMillis(absl::Now() + absl::Seconds(request->code_lifetime_s())));
  response->set_ca_pem(*ReadFile(ChainPaths{folder_}.ca()));
  return {};
}

grpc::Status FakeAdmin::RevokeStore(grpc::ServerContext*, const v1::RevokeStoreRequest* request, v1::Store* response) {
  const std::lock_guard lock(mutex);
  revoked = *request;
  response->set_id(request->store());
  response->set_state("revoked");
  return {};
}

grpc::Status FakeAdmin::ReinstateStore(grpc::ServerContext*, const v1::ReinstateStoreRequest* request,
                                       v1::Store* response) {
  const std::lock_guard lock(mutex);
  reinstated = *request;
  response->set_id(request->store());
  response->set_state("invited");
  return {};
}

grpc::Status FakeAdmin::ListStores(grpc::ServerContext*, const v1::ListStoresRequest*,
                                   v1::ListStoresResponse* response) {
  const std::lock_guard lock(mutex);
  *response = stores;
  return {};
}

grpc::Status FakeAdmin::ListModels(grpc::ServerContext*, const v1::ListModelsRequest*,
                                   v1::ListModelsResponse* response) {
  const std::lock_guard lock(mutex);
  *response = models;
  return {};
}

grpc::Status FakeAdmin::GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* response) {
  const std::lock_guard lock(mutex);
  for (const v1::Model& model : models.models()) {
    if (model.job() == request->job() && (request->version() == 0 || request->version() == model.version())) {
      *response = model;
    }
  }
  return response->job().empty() ? Missing("no such model") : grpc::Status();
}

grpc::Status FakeAdmin::WatchJob(grpc::ServerContext*, const v1::WatchJobRequest* request,
                                 grpc::ServerWriter<v1::JobSnapshot>* writer) {
  const std::lock_guard lock(mutex);
  ++watches;
  if (snapshots.empty()) return Missing("job " + request->job() + " is unknown");
  size_t sent = 0;
  for (const v1::JobSnapshot& snapshot : snapshots) {
    if (break_stream_after > 0 && sent++ == break_stream_after) {
      break_stream_after = 0;
      return {grpc::StatusCode::UNAVAILABLE, "the coordinator restarts"};
    }
    writer->Write(snapshot);
  }
  return {};
}

}  // namespace aisle::cli
