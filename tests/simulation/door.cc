#include "tests/simulation/door.h"

#include <utility>

#include "aisle/v1/fleet.pb.h"
#include "base/net/status_conversion.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle::simulation {
namespace {

template <typename Message>
StatusOr<Message> Parse(const std::string& bytes) {
  Message message;
  if (message.ParseFromString(bytes)) return message;
  return Internal("the message can't be parsed");  // As gRPC says it.
}

// What is left of a status that has been over the wire.
Status OverTheWire(const Status& status) { return FromGrpc(ToGrpc(status)); }

}  // namespace

StatusOr<Certificate> Door::Caller(const StoreId& store) const {
  Certificate certificate = parts_.certificate_of(store);
  if (certificate.identity().chain != parts_.chain) return PermissionDenied("the certificate is of another chain");
  AISLE_RETURN_IF_ERROR(certificate.CheckValidAt(parts_.process.clock().Now()));
  AISLE_RETURN_IF_ERROR(RequireRole(certificate.identity(), Role::kStore));
  return certificate;
}

Server::Reply Door::UntilDeath(Reply reply) const {
  return [&process = parts_.process, reply = std::move(reply)](StatusOr<std::string> message) {
    if (process.dead()) return;
    if (message.ok()) return reply(std::move(message));
    reply(OverTheWire(message.status()));
  };
}

void Door::Call(const StoreId& store, Method method, uint64_t call, std::string message, Reply reply) {
  const Reply answer = UntilDeath(std::move(reply));
  switch (method) {
    case Method::kCheckIn:
      return CheckIn(store, call, message, answer);
    case Method::kReportOutcome:
      return Report(store, message, answer);
    case Method::kSumStep:
      return SumStep(store, message, answer);
    case Method::kGetUploadStatus:
      return GetUploadStatus(store, message, answer);
    case Method::kRenew:
      return Renew(store, message, answer);
    default:
      return answer(MakeStatus(StatusCode::kUnimplemented, "streams have doors of their own"));
  }
}

void Door::CheckIn(const StoreId& store, uint64_t call, const std::string& message, const Reply& reply) {
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return reply(caller.status());
  const StatusOr<v1::CheckInRequest> request = Parse<v1::CheckInRequest>(message);
  if (!request.ok()) return reply(request.status());
  StatusOr<aisle::CheckIn> check_in = FromProto(*request);
  if (!check_in.ok()) return reply(check_in.status());
  parts_.coordinator.AnswerCheckIn(
      *std::move(caller), call, *std::move(check_in),
      [&clock = parts_.process.clock(), reply](const StatusOr<Coordinator::CheckInAnswered>& answer) {
        if (!answer.ok()) return reply(answer.status());
        reply(ToProto(answer->instruction, clock.Now(), answer->ledger).SerializeAsString());
      });
}

void Door::HangUp(const StoreId& store, uint64_t call) {
  parts_.coordinator.HangUp(parts_.certificate_of(store), call);
}

void Door::Report(const StoreId& store, const std::string& message, const Reply& reply) {
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return reply(caller.status());
  const StatusOr<v1::ReportOutcomeRequest> request = Parse<v1::ReportOutcomeRequest>(message);
  if (!request.ok()) return reply(request.status());
  StatusOr<OutcomeReport> report = FromProto(*request);
  if (!report.ok()) return reply(report.status());
  parts_.coordinator.Report(*std::move(caller), *std::move(report), [reply](const Status& done) {
    reply(done.ok() ? StatusOr<std::string>("") : StatusOr<std::string>(done));
  });
}

void Door::SumStep(const StoreId& store, const std::string& message, const Reply& reply) {
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return reply(caller.status());
  const StatusOr<v1::SumStepRequest> request = Parse<v1::SumStepRequest>(message);
  if (!request.ok()) return reply(request.status());
  StatusOr<SumReport> report = FromProto(*request);
  if (!report.ok()) return reply(report.status());
  parts_.coordinator.TakeStep(*std::move(caller), *std::move(report), [reply](const Status& done) {
    reply(done.ok() ? StatusOr<std::string>("") : StatusOr<std::string>(done));
  });
}

void Door::GetUploadStatus(const StoreId& store, const std::string& message, const Reply& reply) {
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return reply(caller.status());
  const StatusOr<v1::GetUploadStatusRequest> request = Parse<v1::GetUploadStatusRequest>(message);
  if (!request.ok()) return reply(request.status());
  StatusOr<RoundId> round = FromProto(request->round());
  if (!round.ok()) return reply(round.status());
  const StatusOr<Digest> digest = DigestFromProto("sha256", request->sha256());
  if (!digest.ok()) return reply(digest.status());
  parts_.coordinator.FindUpload(*std::move(caller), *std::move(round), *digest, [reply](StatusOr<UploadStatus> status) {
    if (!status.ok()) return reply(status.status());
    v1::GetUploadStatusResponse response;
    response.set_received_bytes(status->received);
    response.set_complete(status->complete);
    reply(response.SerializeAsString());
  });
}

void Door::Renew(const StoreId& store, const std::string& message, const Reply& reply) {
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return reply(caller.status());
  const StatusOr<v1::RenewRequest> request = Parse<v1::RenewRequest>(message);
  if (!request.ok()) return reply(request.status());
  parts_.coordinator.Renew(*std::move(caller), request->csr_pem(), [this, reply](const StatusOr<Certificate>& renewed) {
    if (!renewed.ok()) return reply(renewed.status());
    v1::RenewResponse response;
    response.set_certificate_pem(renewed->pem());
    response.set_ca_pem(parts_.ca_pem);
    for (const VerifyKey& key : parts_.plan_keys) response.add_plan_public_keys(key.bytes());
    reply(response.SerializeAsString());
  });
}

void Door::Fetch(const StoreId& store, std::string message, std::function<void(std::string)> next, Reply end) {
  const Reply answer = UntilDeath(std::move(end));
  StatusOr<Certificate> caller = Caller(store);
  if (!caller.ok()) return answer(caller.status());
  const StatusOr<v1::FetchBlobRequest> request = Parse<v1::FetchBlobRequest>(message);
  if (!request.ok()) return answer(request.status());
  const StatusOr<Digest> digest = DigestFromProto("sha256", request->sha256());
  if (!digest.ok()) return answer(digest.status());
  const auto stream = [this, store, answer, next = std::move(next),
                       first = request->offset_bytes()](const StatusOr<std::shared_ptr<const BlobReader>>& found) {
    if (!found.ok()) return answer(found.status());
    const BlobReader& blob = **found;
    if (first > blob.size()) return answer(OutOfRange("offset {} lies beyond {} bytes", first, blob.size()));
    uint64_t offset = first;
    do {
      v1::FetchBlobResponse piece;
      if (offset == first) piece.set_total_size_bytes(blob.size());
      const Status read = blob.ReadAt(offset, parts_.network.DrawPiece(blob.size()), *piece.mutable_data());
      if (!read.ok()) return answer(read);
      offset += piece.data().size();
      next(piece.SerializeAsString());
    } while (offset < blob.size());
    parts_.coordinator.CountDownload(store, offset - first);
    answer("");
  };
  parts_.coordinator.OpenBlob(*std::move(caller), *digest, stream);
}

// As coordinator/services/upload_stream.h.
class Door::UploadStream final : public Stream, public std::enable_shared_from_this<UploadStream> {
 public:
  UploadStream(Door& door, StoreId store, Reply reply)
      : door_(door), store_(std::move(store)), caller_(door.Caller(store_)), reply_(std::move(reply)) {}

  void Take(std::string message) override {
    if (done_ || ended_) return;
    waiting_.push_back(std::move(message));
    if (!busy_) TakeNext();
  }
  void End() override {
    ended_ = true;
    if (!busy_) TakeNext();
  }

 private:
  void TakeNext() {
    busy_ = false;
    if (done_) return;
    if (waiting_.empty()) {
      if (ended_) Finish();
      return;
    }
    if (!caller_.ok()) return Fail(caller_.status());
    StatusOr<v1::UploadRequest> message = Parse<v1::UploadRequest>(waiting_.front());
    waiting_.erase(waiting_.begin());
    if (!message.ok()) return Fail(message.status());
    if (upload_.session != nullptr) return TakeData(message->data());
    if (!message->has_header()) return Fail(InvalidArgument("an upload begins with a header; this one didn't"));
    Begin(*message);
  }
  void Begin(const v1::UploadRequest& message) {
    StatusOr<UploadHeader> header = FromProto(message.header());
    if (!header.ok()) return Fail(header.status());
    header_ = *std::move(header);
    busy_ = true;
    door_.parts_.coordinator.BeginUpload(
        *caller_, header_, [self = shared_from_this(), data = message.data()](StatusOr<aisle::Upload> upload) {
          if (!upload.ok()) return self->Fail(upload.status());
          self->upload_ = *std::move(upload);
          self->TakeData(data);
        });
  }
  void TakeData(const std::string& data) {
    if (const Status taken = upload_.session->Append(data); !taken.ok()) return Fail(taken);
    TakeNext();
  }
  void Finish() {
    done_ = true;
    if (upload_.session == nullptr) return reply_(InvalidArgument("an upload begins with a header; this one didn't"));
    door_.parts_.disk.Post([self = shared_from_this()] {
      const StatusOr<UploadStatus> status = self->upload_.session->Finish();
      if (!status.ok()) return self->reply_(status.status());
      if (!status->complete) return self->Answer(status->received, false);  // Cut: a later stream goes on.
      self->door_.parts_.coordinator.AcceptUpload(*self->caller_, self->header_,
                                                  [self, received = status->received](const Status& accepted) {
                                                    if (!accepted.ok()) return self->reply_(accepted);
                                                    self->Answer(received, true);
                                                  });
    });
  }
  void Answer(uint64_t received, bool complete) {
    v1::UploadResponse response;
    response.set_received_bytes(received);
    response.set_complete(complete);
    reply_(response.SerializeAsString());
  }
  void Fail(const Status& why) {
    done_ = true;
    reply_(why);
  }

  Door& door_;
  const StoreId store_;
  const StatusOr<Certificate> caller_;
  const Reply reply_;
  UploadHeader header_;
  aisle::Upload upload_;
  std::vector<std::string> waiting_;
  bool busy_ = false;   // Headquarters thinks about the header.
  bool ended_ = false;  // Nothing more comes.
  bool done_ = false;
};

std::shared_ptr<Server::Stream> Door::Upload(const StoreId& store, Reply reply) {
  return std::make_shared<UploadStream>(*this, store, UntilDeath(std::move(reply)));
}

}  // namespace aisle::simulation
