#include "cli/admin_client.h"

#include <absl/time/clock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <initializer_list>

#include "aisle/v1/admin.grpc.pb.h"
#include "base/net/status_conversion.h"
#include "cli/environment.h"
#include "proto/convert/fleet.h"

namespace aisle::cli {
namespace {

constexpr absl::Duration kRetryPause = absl::Milliseconds(300);  // Times the attempt's number.

bool IsWorthAnotherTry(const Status& status) { return status.code() == StatusCode::kUnavailable; }

// gRPC wraps what happened in what it tried: "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:5:
// …".
std::string ReasonOf(std::string_view message) {
  for (const std::string_view wrapping : {"last error: ", "UNKNOWN: ", "UNAVAILABLE: "}) {
    const size_t at = message.find(wrapping);
    if (at != std::string_view::npos) message.remove_prefix(at + wrapping.size());
  }
  return std::string(message);
}

bool Mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// What to look at first.
std::string HintFor(std::string_view reason, std::string_view host) {
  if (Mentions(reason, {"DNS", "name resolution"})) return fmt::format("is {} the right name?", host);
  if (Mentions(reason, {"andshake", "SSL", "ertificate", "Peer name"})) {
    return fmt::format("is it a coordinator of your chain, with {} as a name in its certificate?", host);
  }
  return "is it running there?";
}

}  // namespace

struct AdminClient::Connection {
  ChannelMaker open;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Admin::Stub> stub;  // Null: the next call opens anew.

  v1::Admin::Stub& Get() {
    if (stub == nullptr) {
      channel.reset();  // Before the new one is made: channels to one place share their pauses.
      channel = open();
      stub = v1::Admin::NewStub(channel);
    }
    return *stub;
  }
};

AdminClient::AdminClient(ChannelMaker open, std::string address)
    : connection_(std::make_unique<Connection>(Connection{std::move(open), nullptr, nullptr})),
      address_(std::move(address)) {}
AdminClient::~AdminClient() = default;

Status AdminClient::Judge(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) connection_->stub.reset();
  return Explain(FromGrpc(status));
}

Status AdminClient::Explain(const Status& status) const {
  if (status.code() == StatusCode::kUnavailable) {
    const std::string reason = ReasonOf(MessageOf(status));
    return Unavailable("cannot reach the coordinator at {}: {}; {} (--coordinator or {} says where to look)", address_,
                       reason, HintFor(reason, address_.substr(0, address_.rfind(':'))), kCoordinatorVariable);
  }
  if (status.code() == StatusCode::kDeadlineExceeded) {
    return DeadlineExceeded("the coordinator at {} did not answer in time ({})", address_, MessageOf(status));
  }
  if (status.code() == StatusCode::kUnimplemented) {
    return Unimplemented("what answers at {} doesn't know this call: is it a coordinator of another version? ({})",
                         address_, MessageOf(status));
  }
  return status;
}

template <typename Request, typename Response, typename Method>
StatusOr<Response> AdminClient::Call(Method method, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallDeadline));
  Response response;
  AISLE_RETURN_IF_ERROR(Judge((connection_->Get().*method)(&context, request, &response)));
  return response;
}

StatusOr<v1::Overview> AdminClient::GetOverview() {
  return Call<v1::GetOverviewRequest, v1::Overview>(&v1::Admin::Stub::GetOverview, {});
}

StatusOr<v1::Explanation> AdminClient::Explain(const v1::ExplainRequest& request) {
  return Call<v1::ExplainRequest, v1::Explanation>(&v1::Admin::Stub::Explain, request);
}

Status AdminClient::BackUp(const v1::BackUpRequest& request,
                           const std::function<Status(const v1::BackUpResponse&)>& taken) {
  grpc::ClientContext context;
  const auto reader = connection_->Get().BackUp(&context, request);
  v1::BackUpResponse message;
  bool ended = false;
  while (reader->Read(&message)) {
    const Status status = taken(message);
    if (!status.ok()) {
      context.TryCancel();
      reader->Finish();
      return status;
    }
    ended = message.has_ended();
  }
  AISLE_RETURN_IF_ERROR(Judge(reader->Finish()));
  return ended ? OkStatus() : DataLoss("the backup ended before its end; run it again");
}

StatusOr<v1::Job> AdminClient::SubmitJob(const v1::SubmitJobRequest& request) {
  return Call<v1::SubmitJobRequest, v1::Job>(&v1::Admin::Stub::SubmitJob, request);
}

StatusOr<v1::Job> AdminClient::CancelJob(const std::string& job, const std::string& reason) {
  v1::CancelJobRequest request;
  request.set_job(job);
  request.set_reason(reason);
  return Call<v1::CancelJobRequest, v1::Job>(&v1::Admin::Stub::CancelJob, request);
}

StatusOr<v1::Job> AdminClient::GetJob(const std::string& job) {
  v1::GetJobRequest request;
  request.set_job(job);
  return Call<v1::GetJobRequest, v1::Job>(&v1::Admin::Stub::GetJob, request);
}

StatusOr<v1::ListJobsResponse> AdminClient::ListJobs() {
  return Call<v1::ListJobsRequest, v1::ListJobsResponse>(&v1::Admin::Stub::ListJobs, {});
}

StatusOr<v1::Round> AdminClient::GetRound(const std::string& job, uint32_t number) {
  v1::GetRoundRequest request;
  request.mutable_round()->set_job(job);
  request.mutable_round()->set_number(number);
  return Call<v1::GetRoundRequest, v1::Round>(&v1::Admin::Stub::GetRound, request);
}

StatusOr<v1::ListRoundsResponse> AdminClient::ListRounds(const std::string& job, uint32_t last) {
  v1::ListRoundsRequest request;
  request.set_job(job);
  request.set_last(last);
  return Call<v1::ListRoundsRequest, v1::ListRoundsResponse>(&v1::Admin::Stub::ListRounds, request);
}

StatusOr<v1::AddStoreResponse> AdminClient::AddStore(const std::string& store, absl::Duration code_lifetime) {
  v1::AddStoreRequest request;
  request.set_store(store);
  request.set_code_lifetime_s(static_cast<uint32_t>(absl::ToInt64Seconds(code_lifetime)));
  return Call<v1::AddStoreRequest, v1::AddStoreResponse>(&v1::Admin::Stub::AddStore, request);
}

StatusOr<v1::Store> AdminClient::RevokeStore(const std::string& store, const std::string& reason) {
  v1::RevokeStoreRequest request;
  request.set_store(store);
  request.set_reason(reason);
  return Call<v1::RevokeStoreRequest, v1::Store>(&v1::Admin::Stub::RevokeStore, request);
}

StatusOr<v1::Store> AdminClient::ReinstateStore(const std::string& store) {
  v1::ReinstateStoreRequest request;
  request.set_store(store);
  return Call<v1::ReinstateStoreRequest, v1::Store>(&v1::Admin::Stub::ReinstateStore, request);
}

StatusOr<v1::ListStoresResponse> AdminClient::ListStores() {
  return Call<v1::ListStoresRequest, v1::ListStoresResponse>(&v1::Admin::Stub::ListStores, {});
}

StatusOr<v1::ListModelsResponse> AdminClient::ListModels(const std::string& job) {
  v1::ListModelsRequest request;
  request.set_job(job);
  return Call<v1::ListModelsRequest, v1::ListModelsResponse>(&v1::Admin::Stub::ListModels, request);
}

StatusOr<v1::Model> AdminClient::GetModel(const std::string& job, uint64_t version) {
  v1::GetModelRequest request;
  request.set_job(job);
  request.set_version(version);
  return Call<v1::GetModelRequest, v1::Model>(&v1::Admin::Stub::GetModel, request);
}

Status AdminClient::PutBlobOnce(const v1::BlobRef& blob, std::string_view bytes, const ProgressFunction& progress) {
  grpc::ClientContext context;
  v1::PutBlobResponse response;
  const auto writer = connection_->Get().PutBlob(&context, &response);
  v1::PutBlobRequest request;
  *request.mutable_blob() = blob;
  for (size_t sent = 0;;) {
    const std::string_view chunk = bytes.substr(sent, kChunkSize);
    request.set_data(chunk.data(), chunk.size());
    if (!writer->Write(request)) break;  // The server has made up its mind; Finish says how.
    request.clear_blob();
    sent += chunk.size();
    progress(sent, bytes.size());
    if (sent == bytes.size()) break;
  }
  writer->WritesDone();
  return Judge(writer->Finish());
}

Status AdminClient::PutBlob(std::string_view bytes, const ProgressFunction& progress) {
  v1::BlobRef blob;
  ToProto(BlobName{Sha256::Of(bytes), bytes.size()}, &blob);
  Status status;
  for (int attempt = 1; attempt <= kStreamAttemptsMax; ++attempt) {
    status = PutBlobOnce(blob, bytes, progress);
    if (!IsWorthAnotherTry(status)) break;
    if (attempt < kStreamAttemptsMax) absl::SleepFor(kRetryPause * attempt);
  }
  return status;
}

Status AdminClient::FetchBlobOnce(const BlobName& blob, uint64_t& offset,
                                  const std::function<Status(std::string_view)>& sink,
                                  const ProgressFunction& progress) {
  grpc::ClientContext context;
  v1::FetchBlobRequest request;
  request.set_sha256(std::string(blob.digest.view()));
  request.set_offset_bytes(offset);
  const auto reader = connection_->Get().FetchBlob(&context, request);
  v1::FetchBlobResponse response;
  while (reader->Read(&response)) {
    if (response.data().size() > blob.size - offset) {
      context.TryCancel();
      return DataLoss("blob {} is larger than the {} bytes it was said to have", blob.digest.ShortHex(), blob.size);
    }
    const Status taken = sink(response.data());
    if (!taken.ok()) {
      context.TryCancel();
      return taken;
    }
    offset += response.data().size();
    progress(offset, blob.size);
  }
  return Judge(reader->Finish());
}

Status AdminClient::FetchBlob(const BlobName& blob, const std::function<Status(std::string_view)>& sink,
                              const ProgressFunction& progress) {
  Sha256 hash;
  const auto hashing_sink = [&](std::string_view data) {
    hash.Update(data);
    return sink(data);
  };
  uint64_t offset = 0;
  int attempts_left = kStreamAttemptsMax;
  for (;;) {
    const uint64_t before = offset;
    const Status status = FetchBlobOnce(blob, offset, hashing_sink, progress);
    if (status.ok()) break;
    attempts_left = offset > before ? kStreamAttemptsMax : attempts_left - 1;
    if (!IsWorthAnotherTry(status) || attempts_left == 0) return status;
    absl::SleepFor(kRetryPause * (kStreamAttemptsMax + 1 - attempts_left));
  }
  if (offset != blob.size) {
    return DataLoss("blob {} ended after {} of its {} bytes", blob.digest.ShortHex(), offset, blob.size);
  }
  if (hash.Finish() != blob.digest) {
    return DataLoss("what came as blob {} has another SHA-256: it was damaged on its way or in the coordinator's store",
                    blob.digest.ShortHex());
  }
  return OkStatus();
}

Status AdminClient::WatchJob(const std::string& job, const std::function<bool(const v1::JobSnapshot&)>& seen) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job(job);
  const auto reader = connection_->Get().WatchJob(&context, request);
  v1::JobSnapshot snapshot;
  while (reader->Read(&snapshot)) {
    if (!seen(snapshot)) {
      context.TryCancel();
      reader->Finish();
      return OkStatus();
    }
  }
  return Judge(reader->Finish());
}

}  // namespace aisle::cli
