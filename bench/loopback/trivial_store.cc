#include "bench/loopback/trivial_store.h"

#include <absl/time/clock.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "base/net/credentials.h"
#include "base/net/status_conversion.h"
#include "base/net/transport.h"

namespace aisle {
namespace {

constexpr auto kWait = std::chrono::minutes(10);

void SetDeadline(grpc::ClientContext& context) { context.set_deadline(std::chrono::system_clock::now() + kWait); }

}  // namespace

TrivialUpdate::TrivialUpdate(uint64_t size) : chunk_(std::min(size, kChunkSize), '\0') {
  for (size_t i = 0; i < chunk_.size(); i += 4) chunk_[i] = static_cast<char>(i * 2654435761u >> 13);  // Small values.
  Sha256 hash;
  for (uint64_t left = size; left > 0;) {
    const uint64_t piece = std::min<uint64_t>(left, chunk_.size());
    hash.Update(std::string_view(chunk_).substr(0, piece));
    left -= piece;
  }
  name_ = {.digest = hash.Finish(), .size = size};
}

StatusOr<std::unique_ptr<TrivialStore>> TrivialStore::Connect(const std::string& address, const TlsIdentity& identity,
                                                              const TrivialUpdate& update) {
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeChannelCredentials(identity));
  AISLE_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                         OpenChannel({.address = address, .own_connection = true}, credentials));
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kWait)) {
    return Unavailable("{} doesn't answer", address);
  }
  return std::unique_ptr<TrivialStore>(new TrivialStore(v1::Fleet::NewStub(channel), update));
}

Status TrivialStore::Download(const Digest& blob, uint64_t size) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::FetchBlobRequest request;
  request.set_sha256(std::string(blob.view()));
  const auto reader = stub_->FetchBlob(&context, request);
  v1::FetchBlobResponse chunk;
  uint64_t received = 0;
  while (reader->Read(&chunk)) received += chunk.data().size();
  AISLE_RETURN_IF_ERROR(FromGrpc(reader->Finish()));
  if (received != size) return DataLoss("{} of {} bytes came", received, size);
  return OkStatus();
}

Status TrivialStore::Upload(const RoundId& round) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::UploadResponse response;
  const auto writer = stub_->Upload(&context, &response);
  v1::UploadRequest message;
  v1::UploadHeader& header = *message.mutable_header();
  header.mutable_round()->set_job(round.job.str());
  header.mutable_round()->set_number(round.number);
  header.set_sha256(std::string(update_.name().digest.view()));
  header.set_size_bytes(update_.name().size);
  message.set_data(update_.chunk());
  for (uint64_t left = update_.name().size; left > 0;) {
    if (left < message.data().size()) message.mutable_data()->resize(left);
    left -= message.data().size();
    if (!writer->Write(message)) break;  // Finish says why.
    message.clear_header();
  }
  writer->WritesDone();
  AISLE_RETURN_IF_ERROR(FromGrpc(writer->Finish()));
  if (!response.complete()) return DataLoss("the update arrived up to byte {} only", response.received_bytes());
  return OkStatus();
}

StatusOr<v1::CheckInResponse> TrivialStore::CheckIn(v1::StoreStanding standing, const v1::RoundRef* round) {
  v1::CheckInRequest request;
  request.set_protocol_major(kProtocolMajor);
  request.set_agent_version("0.1.0");
  request.add_tables("rows");
  request.set_willing(true);
  request.set_standing(standing);
  if (round != nullptr) *request.mutable_round() = *round;
  request.set_wait_max_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(kCheckInWaitMax)));
  request.set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
  grpc::ClientContext context;
  SetDeadline(context);
  v1::CheckInResponse response;
  AISLE_RETURN_IF_ERROR(FromGrpc(stub_->CheckIn(&context, request, &response)));
  if (response.has_come_back()) absl::SleepFor(absl::Milliseconds(response.come_back().after_ms()));
  return response;
}

Status TrivialStore::TakePart(uint32_t rounds, const std::function<void(uint32_t)>& closed) {
  for (uint32_t done = 1; done <= rounds; ++done) {
    AISLE_RETURN_IF_ERROR(TakePartInOne());
    closed(done);
  }
  return OkStatus();
}

Status TrivialStore::TakePartInOne() {
  for (;;) {
    AISLE_ASSIGN_OR_RETURN(const v1::CheckInResponse answer, CheckIn(v1::STORE_STANDING_IDLE, nullptr));
    if (!answer.has_train()) continue;
    watch_(Moment::kHeardTask);
    AISLE_RETURN_IF_ERROR(Train(answer.train()));
    return AwaitCommit(answer.train().round());
  }
}

Status TrivialStore::Train(const v1::TrainInstruction& task) {
  const auto fetch = [&](const v1::BlobRef& blob) -> Status {
    AISLE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(blob.sha256()));
    return Download(digest, blob.size_bytes());
  };
  if (plan_ != task.plan().sha256()) AISLE_RETURN_IF_ERROR(fetch(task.plan()));
  plan_ = task.plan().sha256();
  AISLE_RETURN_IF_ERROR(fetch(task.weights()));
  v1::ReportOutcomeRequest report;
  *report.mutable_round() = task.round();
  v1::BlobRef& update = *report.mutable_trained()->mutable_update();
  update.set_sha256(std::string(update_.name().digest.view()));
  update.set_size_bytes(update_.name().size);
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ReportOutcomeResponse response;
  watch_(Moment::kReporting);
  return FromGrpc(stub_->ReportOutcome(&context, report, &response));
}

Status TrivialStore::AwaitCommit(const v1::RoundRef& round) {
  v1::StoreStanding standing = v1::STORE_STANDING_TRAINED;
  for (;;) {
    AISLE_ASSIGN_OR_RETURN(const v1::CheckInResponse answer, CheckIn(standing, &round));
    if (answer.has_collect()) {
      watch_(Moment::kHeardCollect);
      AISLE_ASSIGN_OR_RETURN(JobId job, JobId::Parse(round.job()));
      watch_(Moment::kUploading);
      AISLE_RETURN_IF_ERROR(Upload({.job = std::move(job), .number = round.number()}));
      standing = v1::STORE_STANDING_UPLOADED;
    }
    if (!answer.has_closed()) continue;
    watch_(Moment::kHeardClosed);
    if (answer.closed().outcome() == v1::ROUND_OUTCOME_COMMITTED) return OkStatus();
    return Internal("round {} wasn't committed: {}", round.number(), answer.closed().reason());
  }
}

}  // namespace aisle
