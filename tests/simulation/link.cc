#include "tests/simulation/link.h"

#include <utility>

#include "aisle/v1/fleet.pb.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle::simulation {
namespace {

template <typename Message>
StatusOr<Message> Parse(const StatusOr<std::string>& bytes) {
  AISLE_RETURN_IF_ERROR(bytes.status());
  Message message;
  if (message.ParseFromString(*bytes)) return message;
  return Internal("the answer can't be parsed");
}

// Pieces of an update as messages, each with a header or a bit of data.
class Messages {
 public:
  Messages(const UploadHeader& header, const FleetLink::Source& source, Network& network)
      : header_(header), source_(source), network_(network) {}

  StatusOr<std::string> Next() {
    v1::UploadRequest message;
    if (std::exchange(first_, false)) {
      ToProto(header_, message.mutable_header());
      return message.SerializeAsString();
    }
    if (rest_.empty()) {
      AISLE_ASSIGN_OR_RETURN(rest_, source_());
      if (rest_.empty()) return std::string();
    }
    const size_t size = std::min<size_t>(rest_.size(), network_.DrawPiece(header_.update.size));
    message.set_data(rest_.substr(0, size));
    rest_.erase(0, size);
    return message.SerializeAsString();
  }

 private:
  const UploadHeader& header_;
  const FleetLink::Source& source_;
  Network& network_;
  std::string rest_;
  bool first_ = true;
};

}  // namespace

Network::Caller Link::By(Lane& lane, std::stop_token stop, absl::Duration timeout) const {
  return {.store = store_, .process = process_, .lane = lane, .stop = std::move(stop), .timeout = timeout};
}

StatusOr<CheckInAnswer> Link::AskForWork(const CheckIn& check_in, std::stop_token stop) {
  AISLE_ASSIGN_OR_RETURN(const auto response, Parse<v1::CheckInResponse>(network_.Call(
                                                  By(lanes_.asking, std::move(stop), check_in.wait_max + kCheckInGrace),
                                                  Method::kCheckIn, ToProto(check_in).SerializeAsString())));
  AISLE_ASSIGN_OR_RETURN(Instruction instruction, FromProto(response));
  AISLE_ASSIGN_OR_RETURN(const absl::Time clock, TimeFromProto("clock_unix_ms", response.clock_unix_ms()));
  AISLE_ASSIGN_OR_RETURN(const std::optional<LedgerHead> acknowledged, AcknowledgedFromProto(response));
  return CheckInAnswer{
      .instruction = std::move(instruction), .headquarters_clock = clock, .ledger_acknowledged = acknowledged};
}

Status Link::Report(const RoundId& round, const TaskOutcome& outcome, std::stop_token stop) {
  const std::string message = ToProto(OutcomeReport{.round = round, .outcome = outcome}).SerializeAsString();
  return network_.Call(By(lanes_.working, std::move(stop), kCallTimeout), Method::kReportOutcome, message).status();
}

Status Link::Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token stop) {
  v1::FetchBlobRequest request;
  request.set_sha256(std::string(blob.digest.view()));
  request.set_offset_bytes(offset);
  const auto take = [&](std::string_view bytes) -> Status {
    v1::FetchBlobResponse response;
    if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Internal("a broken message");
    const uint64_t total = response.total_size_bytes();
    if (total != 0 && total != blob.size) {
      return InvalidArgument("headquarters has {} bytes of {}, not the {} it announced", total, blob.digest.ShortHex(),
                             blob.size);
    }
    return sink(response.data());
  };
  return network_.Fetch(By(lanes_.working, std::move(stop), kStreamTimeout), request.SerializeAsString(),
                        blob.size - offset, take);
}

StatusOr<UploadStatus> Link::AskUploadStatus(const RoundId& round, const Digest& update, std::stop_token stop) {
  v1::GetUploadStatusRequest request;
  ToProto(round, request.mutable_round());
  request.set_sha256(std::string(update.view()));
  AISLE_ASSIGN_OR_RETURN(const auto response, Parse<v1::GetUploadStatusResponse>(network_.Call(
                                                  By(lanes_.working, std::move(stop), kCallTimeout),
                                                  Method::kGetUploadStatus, request.SerializeAsString())));
  return UploadStatus{.received = response.received_bytes(), .complete = response.complete()};
}

StatusOr<UploadStatus> Link::Upload(const UploadHeader& header, const Source& source, std::stop_token stop) {
  Messages messages(header, source, network_);
  AISLE_ASSIGN_OR_RETURN(
      const auto response,
      Parse<v1::UploadResponse>(network_.Upload(By(lanes_.working, std::move(stop), kStreamTimeout),
                                                header.update.size - header.offset, [&] { return messages.Next(); })));
  return UploadStatus{.received = response.received_bytes(), .complete = response.complete()};
}

Status Link::SumStep(const SumReport& report, std::stop_token stop) {
  return network_
      .Call(By(lanes_.working, std::move(stop), kCallTimeout), Method::kSumStep, ToProto(report).SerializeAsString())
      .status();
}

StatusOr<EnrolAnswer> Link::Renew(const std::string& csr_pem) {
  v1::RenewRequest request;
  request.set_csr_pem(csr_pem);
  AISLE_ASSIGN_OR_RETURN(const auto response,
                         Parse<v1::RenewResponse>(network_.Call(By(lanes_.asking, {}, kCallTimeout), Method::kRenew,
                                                                request.SerializeAsString())));
  return EnrolAnswer{
      .certificate_pem = response.certificate_pem(),
      .ca_pem = response.ca_pem(),
      .plan_keys = {response.plan_public_keys().begin(), response.plan_public_keys().end()},
  };
}

}  // namespace aisle::simulation
