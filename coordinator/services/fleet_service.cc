#include "coordinator/services/fleet_service.h"

#include "base/net/peer.h"
#include "base/net/status_conversion.h"
#include "base/reason.h"
#include "coordinator/services/blob_stream.h"
#include "coordinator/services/unary.h"
#include "coordinator/services/upload_stream.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle {
namespace {

constexpr size_t kCsrSizeMax = 16 << 10;
constexpr size_t kProofSizeMax = 80;  // An ECDSA signature on P-256.

Status TooManyTransfers() {
  return WithReason(ResourceExhausted("{} transfers are running, which is the limit; try again", kTransfersMax),
                    Reason::kLimitExceeded, absl::Seconds(1));
}

Status CheckCsrSize(const std::string& csr) {
  if (csr.size() > kCsrSizeMax)
    return InvalidArgument("csr_pem has {} bytes; the limit is {}", csr.size(), kCsrSizeMax);
  return OkStatus();
}

Status CheckSizes(const v1::RenewRequest& request) {
  AISLE_RETURN_IF_ERROR(CheckCsrSize(request.csr_pem()));
  if (request.proof().size() > kProofSizeMax) {
    return InvalidArgument("proof has {} bytes; the limit is {}", request.proof().size(), kProofSizeMax);
  }
  return OkStatus();
}

}  // namespace

FleetService::FleetService(Coordinator& coordinator, ChainName chain, const Clock& clock, ThreadPool& disk,
                           std::vector<VerifyKey> plan_keys)
    : coordinator_(coordinator),
      chain_(std::move(chain)),
      clock_(clock),
      disk_(disk),
      plan_keys_(std::move(plan_keys)) {}

StatusOr<Certificate> FleetService::Caller(const grpc::CallbackServerContext& context) const {
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, PeerCertificateOf(context, chain_, clock_.Now()));
  AISLE_RETURN_IF_ERROR(RequireRole(certificate.identity(), Role::kStore));
  return certificate;
}

grpc::ServerUnaryReactor* FleetService::Enrol(grpc::CallbackServerContext* context, const v1::EnrolRequest* request,
                                              v1::EnrolResponse* response) {
  if (Status size = CheckCsrSize(request->csr_pem()); !size.ok()) return FinishNow(context, size);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Enrol(request->code(), request->csr_pem(), [=, this](StatusOr<EnrolmentDesk::Enrolled> enrolled) {
    if (!enrolled.ok()) return reactor->Finish(ToGrpc(enrolled.status()));
    response->set_certificate_pem(enrolled->certificate.pem());
    response->set_ca_pem(coordinator_.roots_pem());
    response->set_store_id(enrolled->store.str());
    for (const VerifyKey& key : plan_keys_) response->add_plan_public_keys(key.bytes());
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* FleetService::Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                              v1::RenewResponse* response) {
  if (Status sizes = CheckSizes(*request); !sizes.ok()) return FinishNow(context, sizes);
  if (!request->ended_certificate_pem().empty()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    coordinator_.RenewLate(
        request->ended_certificate_pem(), request->csr_pem(), request->proof(),
        [=, this](const StatusOr<Certificate>& renewed) { AnswerRenewal(renewed, response, reactor); });
    return reactor;
  }
  StatusOr<Certificate> caller = Caller(*context);
  if (!caller.ok()) return FinishNow(context, caller.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Renew(*std::move(caller), request->csr_pem(),
                     [=, this](const StatusOr<Certificate>& renewed) { AnswerRenewal(renewed, response, reactor); });
  return reactor;
}

void FleetService::AnswerRenewal(const StatusOr<Certificate>& renewed, v1::RenewResponse* response,
                                 grpc::ServerUnaryReactor* reactor) const {
  if (!renewed.ok()) return reactor->Finish(ToGrpc(renewed.status()));
  response->set_certificate_pem(renewed->pem());
  response->set_ca_pem(coordinator_.roots_pem());
  for (const VerifyKey& key : plan_keys_) response->add_plan_public_keys(key.bytes());
  reactor->Finish(grpc::Status::OK);
}

grpc::ServerUnaryReactor* FleetService::CheckIn(grpc::CallbackServerContext* context, const v1::CheckInRequest* request,
                                                v1::CheckInResponse* response) {
  StatusOr<Certificate> caller = Caller(*context);
  if (!caller.ok()) return FinishNow(context, caller.status());
  StatusOr<aisle::CheckIn> check_in = FromProto(*request);
  if (!check_in.ok()) return FinishNow(context, check_in.status());
  const uint64_t call = ++last_call_;
  auto* reactor = new PatientReactor([this, caller = *caller, call] { coordinator_.HangUp(caller, call); });
  coordinator_.AnswerCheckIn(*std::move(caller), call, *std::move(check_in),
                             [=, this](StatusOr<Coordinator::CheckInAnswered> answer) {
                               if (!answer.ok()) return reactor->Finish(ToGrpc(answer.status()));
                               *response = ToProto(answer->instruction, clock_.Now(), answer->ledger);
                               reactor->Finish(grpc::Status::OK);
                             });
  return reactor;
}

grpc::ServerUnaryReactor* FleetService::ReportOutcome(grpc::CallbackServerContext* context,
                                                      const v1::ReportOutcomeRequest* request,
                                                      v1::ReportOutcomeResponse*) {
  StatusOr<Certificate> caller = Caller(*context);
  if (!caller.ok()) return FinishNow(context, caller.status());
  StatusOr<OutcomeReport> report = FromProto(*request);
  if (!report.ok()) return FinishNow(context, report.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Report(*std::move(caller), *std::move(report),
                      [reactor](const Status& done) { reactor->Finish(ToGrpc(done)); });
  return reactor;
}

grpc::ServerUnaryReactor* FleetService::SumStep(grpc::CallbackServerContext* context, const v1::SumStepRequest* request,
                                                v1::SumStepResponse*) {
  StatusOr<Certificate> caller = Caller(*context);
  if (!caller.ok()) return FinishNow(context, caller.status());
  StatusOr<SumReport> report = FromProto(*request);
  if (!report.ok()) return FinishNow(context, report.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.TakeStep(*std::move(caller), *std::move(report),
                        [reactor](const Status& done) { reactor->Finish(ToGrpc(done)); });
  return reactor;
}

grpc::ServerUnaryReactor* FleetService::GetUploadStatus(grpc::CallbackServerContext* context,
                                                        const v1::GetUploadStatusRequest* request,
                                                        v1::GetUploadStatusResponse* response) {
  StatusOr<Certificate> caller = Caller(*context);
  if (!caller.ok()) return FinishNow(context, caller.status());
  StatusOr<RoundId> round = FromProto(request->round());
  if (!round.ok()) return FinishNow(context, round.status());
  const StatusOr<Digest> digest = DigestFromProto("sha256", request->sha256());
  if (!digest.ok()) return FinishNow(context, digest.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.FindUpload(*std::move(caller), *std::move(round), *digest, [=](StatusOr<UploadStatus> status) {
    if (!status.ok()) return reactor->Finish(ToGrpc(status.status()));
    response->set_received_bytes(status->received);
    response->set_complete(status->complete);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerWriteReactor<v1::FetchBlobResponse>* FleetService::FetchBlob(grpc::CallbackServerContext* context,
                                                                         const v1::FetchBlobRequest* request) {
  StatusOr<Certificate> caller = Caller(*context);
  const StatusOr<Digest> digest = DigestFromProto("sha256", request->sha256());
  const bool crowded = ++transfers_ > kTransfersMax;
  std::optional<StoreId> store;
  if (caller.ok()) {
    if (StatusOr<StoreId> id = StoreOf(caller->identity()); id.ok()) store = *std::move(id);
  }
  auto* stream =
      new BlobStream(coordinator_, store, request->offset_bytes(), request->careful(), [this, store](uint64_t bytes) {
        --transfers_;
        if (store) coordinator_.CountDownload(*store, bytes);
      });
  if (!caller.ok())
    stream->Begin(caller.status());
  else if (!digest.ok())
    stream->Begin(digest.status());
  else if (crowded)
    stream->Begin(TooManyTransfers());
  else
    coordinator_.OpenBlob(*std::move(caller), *digest, [stream](auto blob) { stream->Begin(std::move(blob)); });
  return stream;
}

grpc::ServerReadReactor<v1::UploadRequest>* FleetService::Upload(grpc::CallbackServerContext* context,
                                                                 v1::UploadResponse* response) {
  StatusOr<Certificate> caller = Caller(*context);
  if (++transfers_ > kTransfersMax && caller.ok()) caller = TooManyTransfers();
  return new UploadStream(coordinator_, std::move(caller), disk_, response, [this] { --transfers_; });
}

}  // namespace aisle
