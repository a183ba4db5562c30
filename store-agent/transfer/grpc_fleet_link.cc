#include "store-agent/transfer/grpc_fleet_link.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/log.h"
#include "base/net/credentials.h"
#include "base/net/status_conversion.h"
#include "base/pieces.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle {
namespace {

constexpr size_t kCertificatesMax = 64 << 10;
constexpr int kPlanKeysMax = 16;

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

UploadStatus StatusOf(uint64_t received, bool complete) { return {.received = received, .complete = complete}; }

template <typename Response>
StatusOr<EnrolAnswer> ToAnswer(const Response& response) {
  if (response.certificate_pem().size() > kCertificatesMax || response.ca_pem().size() > kCertificatesMax) {
    return InvalidArgument("headquarters' certificates are over {} bytes", kCertificatesMax);
  }
  if (response.plan_public_keys_size() > kPlanKeysMax) {
    return InvalidArgument("headquarters names {} plan keys; the limit is {}", response.plan_public_keys_size(),
                           kPlanKeysMax);
  }
  return EnrolAnswer{
      .certificate_pem = response.certificate_pem(),
      .ca_pem = response.ca_pem(),
      .plan_keys = {response.plan_public_keys().begin(), response.plan_public_keys().end()},
  };
}

// Cancelled by us beats whatever the call then said.
Status Prefer(const std::stop_token& stop, Status status) {
  if (!status.ok() && stop.stop_requested()) return Cancelled("the call was stopped");
  return status;
}

}  // namespace

GrpcFleetLink::GrpcFleetLink(ChannelTarget target, std::shared_ptr<grpc::ChannelCredentials> credentials,
                             std::string roots_pem)
    : target_(std::move(target)), credentials_(std::move(credentials)), roots_pem_(std::move(roots_pem)) {}

StatusOr<std::unique_ptr<GrpcFleetLink>> GrpcFleetLink::Open(ChannelTarget target, const TlsIdentity& identity) {
  AISLE_ASSIGN_OR_RETURN(auto credentials, MakeChannelCredentials(identity));
  target.own_connection = true;
  std::unique_ptr<GrpcFleetLink> link(new GrpcFleetLink(std::move(target), std::move(credentials), identity.ca_pem));
  AISLE_RETURN_IF_ERROR(link->Current().status());
  return link;
}

Status GrpcFleetLink::ChangeIdentity(const TlsIdentity& identity) {
  AISLE_ASSIGN_OR_RETURN(auto credentials, MakeChannelCredentials(identity));
  const std::lock_guard lock(mutex_);
  credentials_ = std::move(credentials);
  channel_ = nullptr;
  roots_pem_ = identity.ca_pem;
  return OkStatus();
}

StatusOr<std::shared_ptr<grpc::Channel>> GrpcFleetLink::Current() {
  const std::lock_guard lock(mutex_);
  if (channel_ == nullptr) {
    AISLE_ASSIGN_OR_RETURN(channel_, OpenChannel(target_, credentials_));
  }
  return channel_;
}

Status GrpcFleetLink::Judge(const grpc::Status& status, const std::shared_ptr<grpc::Channel>& used) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    const std::lock_guard lock(mutex_);
    if (channel_ == used) channel_ = nullptr;
  }
  return FromGrpc(status);
}

void GrpcFleetLink::Count(const google::protobuf::MessageLite& up, const google::protobuf::MessageLite& down) {
  if (meter_ == nullptr) return;
  meter_->CountUp(up.ByteSizeLong());
  meter_->CountDown(down.ByteSizeLong());
}

StatusOr<CheckInAnswer> GrpcFleetLink::AskForWork(const CheckIn& check_in, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, check_in.wait_max + kCheckInGrace);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::CheckInResponse response;
  const v1::CheckInRequest request = ToProto(check_in);
  const grpc::Status status = v1::Fleet::NewStub(channel)->CheckIn(&context, request, &response);
  Count(request, response);
  AISLE_RETURN_IF_ERROR(Prefer(stop, Judge(status, channel)));
  const uint32_t minor = response.protocol_minor();
  if (headquarters_minor_.exchange(minor) != minor) {
    LogInfo("headquarters speaks protocol {}.{}, this agent {}.{}", kProtocolMajor, minor, kProtocolMajor,
            kProtocolMinor);
  }
  AISLE_ASSIGN_OR_RETURN(Instruction instruction, FromProto(response));
  AISLE_ASSIGN_OR_RETURN(const absl::Time clock, TimeFromProto("clock_unix_ms", response.clock_unix_ms()));
  AISLE_ASSIGN_OR_RETURN(const std::optional<LedgerHead> acknowledged, AcknowledgedFromProto(response));
  return CheckInAnswer{
      .instruction = std::move(instruction), .headquarters_clock = clock, .ledger_acknowledged = acknowledged};
}

Status GrpcFleetLink::Report(const RoundId& round, const TaskOutcome& outcome, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::ReportOutcomeResponse response;
  const v1::ReportOutcomeRequest request = ToProto(OutcomeReport{.round = round, .outcome = outcome});
  const grpc::Status status = v1::Fleet::NewStub(channel)->ReportOutcome(&context, request, &response);
  Count(request, response);
  return Prefer(stop, Judge(status, channel));
}

Status GrpcFleetLink::Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kStreamTimeout);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::FetchBlobRequest request;
  request.set_sha256(std::string(blob.digest.view()));
  request.set_offset_bytes(offset);
  request.set_careful(care_.careful());
  const auto reader = v1::Fleet::NewStub(channel)->FetchBlob(&context, request);
  v1::FetchBlobResponse response;
  Status taken;
  uint64_t carried = 0;
  while (taken.ok() && reader->Read(&response)) {
    carried += response.data().size();
    const uint64_t total = response.total_size_bytes();
    if (total != 0 && total != blob.size) {
      taken = InvalidArgument("headquarters has {} bytes of {}, not the {} it announced", total, blob.digest.ShortHex(),
                              blob.size);
    } else if (response.data().size() > kChunkSizeMax) {
      taken = InvalidArgument("a piece of {} bytes came; the limit is {}", response.data().size(), kChunkSizeMax);
    } else {
      taken = sink(response.data());
    }
  }
  if (!taken.ok()) context.TryCancel();
  while (!taken.ok() && reader->Read(&response)) continue;  // Finish wants the stream at its end.
  const Status status = Judge(reader->Finish(), channel);
  care_.StreamEnded(status.ok(), carried);
  return taken.ok() ? Prefer(stop, status) : taken;
}

StatusOr<UploadStatus> GrpcFleetLink::AskUploadStatus(const RoundId& round, const Digest& update,
                                                      std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::GetUploadStatusRequest request;
  ToProto(round, request.mutable_round());
  request.set_sha256(std::string(update.view()));
  v1::GetUploadStatusResponse response;
  const grpc::Status status = v1::Fleet::NewStub(channel)->GetUploadStatus(&context, request, &response);
  Count(request, response);
  AISLE_RETURN_IF_ERROR(Prefer(stop, Judge(status, channel)));
  return StatusOf(response.received_bytes(), response.complete());
}

StatusOr<UploadStatus> GrpcFleetLink::Upload(const UploadHeader& header, const Source& source, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kStreamTimeout);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::UploadResponse response;
  const auto writer = v1::Fleet::NewStub(channel)->Upload(&context, &response);
  v1::UploadRequest request;
  ToProto(header, request.mutable_header());
  const bool careful = care_.careful();
  uint64_t carried = 0;
  Status given;
  for (bool open = true; open;) {
    const StatusOr<std::string> piece = source();
    given = piece.status();
    if (!given.ok() || (piece->empty() && !request.has_header())) break;
    size_t sent = 0;
    do {
      request.set_data(piece->substr(sent, PieceSize(careful, carried)));
      sent += request.data().size();
      carried += request.data().size();
      open = writer->Write(request);  // If not, Finish says why.
      request.Clear();
    } while (open && sent < piece->size());
  }
  if (!given.ok()) context.TryCancel();
  writer->WritesDone();
  const Status status = Judge(writer->Finish(), channel);
  care_.StreamEnded(status.ok(), carried);
  AISLE_RETURN_IF_ERROR(given);
  AISLE_RETURN_IF_ERROR(Prefer(stop, status));
  return StatusOf(response.received_bytes(), response.complete());
}

Status GrpcFleetLink::SumStep(const SumReport& report, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  const std::stop_callback canceller(stop, [&] { context.TryCancel(); });
  v1::SumStepResponse response;
  const v1::SumStepRequest request = ToProto(report);
  const grpc::Status status = v1::Fleet::NewStub(channel)->SumStep(&context, request, &response);
  Count(request, response);
  return Prefer(stop, Judge(status, channel));
}

StatusOr<EnrolAnswer> GrpcFleetLink::Renew(const std::string& csr_pem) {
  AISLE_ASSIGN_OR_RETURN(const auto channel, Current());
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::RenewRequest request;
  request.set_csr_pem(csr_pem);
  v1::RenewResponse response;
  const grpc::Status status = v1::Fleet::NewStub(channel)->Renew(&context, request, &response);
  AISLE_RETURN_IF_ERROR(Judge(status, channel));
  return ToAnswer(response);
}

StatusOr<EnrolAnswer> GrpcFleetLink::RenewLate(const LateRenewal& renewal) {
  const auto roots = [this] {
    const std::lock_guard lock(mutex_);
    return roots_pem_;
  };
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeEnrolmentCredentials(roots()));
  AISLE_ASSIGN_OR_RETURN(const auto channel, OpenChannel(target_, credentials));
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::RenewRequest request;
  request.set_csr_pem(renewal.csr_pem);
  request.set_ended_certificate_pem(renewal.ended_certificate_pem);
  request.set_proof(renewal.proof);
  v1::RenewResponse response;
  AISLE_RETURN_IF_ERROR(FromGrpc(v1::Fleet::NewStub(channel)->Renew(&context, request, &response)));
  return ToAnswer(response);
}

StatusOr<EnrolAnswer> CallEnrol(const ChannelTarget& target, const std::string& ca_pem, const SecretBytes& code,
                                const std::string& csr_pem) {
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeEnrolmentCredentials(ca_pem));
  AISLE_ASSIGN_OR_RETURN(const auto channel, OpenChannel(target, credentials));
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::EnrolRequest request;
  request.set_code(std::string(code.Reveal()));
  request.set_csr_pem(csr_pem);
  v1::EnrolResponse response;
  const grpc::Status status = v1::Fleet::NewStub(channel)->Enrol(&context, request, &response);
  Wipe(request.mutable_code()->data(), request.code().size());
  AISLE_RETURN_IF_ERROR(FromGrpc(status));
  AISLE_ASSIGN_OR_RETURN(EnrolAnswer answer, ToAnswer(response));
  answer.store = response.store_id();
  return answer;
}

}  // namespace aisle
