#include "base/reason.h"

#include <absl/strings/cord.h>

#include <array>
#include <optional>
#include <string>

#include "base/codec.h"

namespace aisle {
namespace {

constexpr absl::string_view kPayloadUrl = "aisle/reason";

constexpr std::array<std::string_view, static_cast<size_t>(kReasonMax) + 1> kNames = {
    "unspecified",         "unknown_store", "revoked",
    "code_invalid",        "code_expired",  "code_used",
    "round_unknown",       "round_closed",  "not_in_round",
    "digest_mismatch",     "size_mismatch", "limit_exceeded",
    "version_unsupported", "clock_skew",    "duplicate_identity",
    "storage_full"};

struct Payload {
  Reason reason = Reason::kUnspecified;
  absl::Duration retry_after;
};

Payload PayloadOf(const Status& status) {
  const auto cord = status.GetPayload(kPayloadUrl);
  if (!cord.has_value()) return {};
  const std::string bytes(*cord);
  ByteReader reader(bytes);
  const uint8_t reason = reader.U8();
  const int64_t retry_after_ms = reader.I64();
  if (!reader.ok() || reason > static_cast<uint8_t>(kReasonMax)) return {};
  return {static_cast<Reason>(reason), absl::Milliseconds(retry_after_ms)};
}

}  // namespace

Status WithReason(Status status, Reason reason, absl::Duration retry_after) {
  if (status.ok()) return status;
  ByteWriter bytes;
  bytes.U8(static_cast<uint8_t>(reason)).I64(absl::ToInt64Milliseconds(retry_after));
  status.SetPayload(kPayloadUrl, absl::Cord(bytes.Take()));
  return status;
}

Reason ReasonOf(const Status& status) { return PayloadOf(status).reason; }

absl::Duration RetryAfterOf(const Status& status) { return PayloadOf(status).retry_after; }

std::string_view ReasonName(Reason reason) {
  return reason <= kReasonMax ? kNames[static_cast<size_t>(reason)] : kNames[0];
}

}  // namespace aisle
