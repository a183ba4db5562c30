// Structured reasons: why a call was refused, for programs, beside the message for people.
//
// A reason rides in a Status as a payload, so pure code can give one without knowing protobuf;
// base/net/status_conversion carries it over the wire as aisle.v1.ErrorDetail. Annotate (status.h) keeps it.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace aisle {

// Same numbers as aisle.v1.ErrorDetail.Reason; a static_assert in base/net/status_conversion.cc holds them together.
enum class Reason : uint8_t {
  kUnspecified = 0,
  kUnknownStore = 1,
  kRevoked = 2,
  kCodeInvalid = 3,
  kCodeExpired = 4,
  kCodeUsed = 5,
  kRoundUnknown = 6,
  kRoundClosed = 7,
  kNotInRound = 8,
  kDigestMismatch = 9,
  kSizeMismatch = 10,
  kLimitExceeded = 11,
  kVersionUnsupported = 12,
  kClockSkew = 13,
  kDuplicateIdentity = 14,
  kStorageFull = 15,
};
inline constexpr Reason kReasonMax = Reason::kStorageFull;

// The same error with a reason and, where trying again helps, after how long. An OK status stays as it is.
Status WithReason(Status status, Reason reason, absl::Duration retry_after = absl::ZeroDuration());

// kUnspecified if the status has none.
Reason ReasonOf(const Status& status);
// Zero if the status doesn't say: don't retry as is.
absl::Duration RetryAfterOf(const Status& status);

// "code_expired" and so on: for logs, tables and metric labels (a closed set).
std::string_view ReasonName(Reason reason);

}  // namespace aisle
