#include "base/net/status_conversion.h"

#include <aisle/v1/fleet.pb.h>

#include <algorithm>
#include <limits>

#include "base/reason.h"

namespace aisle {
namespace {

using v1::ErrorDetail;

// The enumerations grow together: adding a reason to one without the other stops here.
static_assert(static_cast<int>(kReasonMax) == ErrorDetail::Reason_MAX);
static_assert(static_cast<int>(Reason::kUnknownStore) == ErrorDetail::REASON_UNKNOWN_STORE);
static_assert(static_cast<int>(Reason::kCodeUsed) == ErrorDetail::REASON_CODE_USED);
static_assert(static_cast<int>(Reason::kRoundClosed) == ErrorDetail::REASON_ROUND_CLOSED);
static_assert(static_cast<int>(Reason::kLimitExceeded) == ErrorDetail::REASON_LIMIT_EXCEEDED);
static_assert(static_cast<int>(Reason::kDuplicateIdentity) == ErrorDetail::REASON_DUPLICATE_IDENTITY);
static_assert(static_cast<int>(Reason::kStorageFull) == ErrorDetail::REASON_STORAGE_FULL);

constexpr int kCodeMax = static_cast<int>(StatusCode::kUnauthenticated);
constexpr size_t kDetailSizeMax = 256;

std::string DetailsOf(const Status& status) {
  const Reason reason = ReasonOf(status);
  const int64_t retry_after_ms = absl::ToInt64Milliseconds(RetryAfterOf(status));
  if (reason == Reason::kUnspecified && retry_after_ms <= 0) return {};
  ErrorDetail detail;
  detail.set_reason(static_cast<ErrorDetail::Reason>(reason));
  detail.set_retry_after_ms(
      static_cast<uint32_t>(std::clamp<int64_t>(retry_after_ms, 0, std::numeric_limits<uint32_t>::max())));
  return detail.SerializeAsString();
}

}  // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string_view message = MessageOf(status).substr(0, kWireMessageSizeMax);
  return {static_cast<grpc::StatusCode>(status.code()), std::string(message), DetailsOf(status)};
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  const int code = static_cast<int>(status.error_code());
  const StatusCode known = code >= 1 && code <= kCodeMax ? static_cast<StatusCode>(code) : StatusCode::kUnknown;
  Status converted = MakeStatus(known, status.error_message());
  const std::string details = status.error_details();
  ErrorDetail detail;
  if (details.empty() || details.size() > kDetailSizeMax || !detail.ParseFromString(details)) return converted;
  const bool known_reason = ErrorDetail::Reason_IsValid(detail.reason());
  const Reason reason = known_reason ? static_cast<Reason>(detail.reason()) : Reason::kUnspecified;
  return WithReason(std::move(converted), reason, absl::Milliseconds(detail.retry_after_ms()));
}

}  // namespace aisle
