#include "store-agent/transfer/call_outcome.h"

#include <algorithm>

#include "base/reason.h"

namespace aisle {
namespace {

using agent::Verdict;

// Trying often won't mend these; a person must.
constexpr absl::Duration kForAPerson = absl::Minutes(1);

Verdict VerdictOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return Verdict::kDone;
    case StatusCode::kDataLoss:
      return Verdict::kStartOver;
    case StatusCode::kFailedPrecondition:
    case StatusCode::kNotFound:
      return Verdict::kRoundOver;
    case StatusCode::kInvalidArgument:
    case StatusCode::kAlreadyExists:
    case StatusCode::kOutOfRange:
    case StatusCode::kUnimplemented:
      return Verdict::kImpossible;
    default:  // A revoked or expired certificate too: an administrator may set that right.
      return Verdict::kTryAgain;
  }
}

Verdict VerdictOf(const Status& status) {
  switch (ReasonOf(status)) {
    case Reason::kRoundUnknown:
    case Reason::kRoundClosed:
    case Reason::kNotInRound:
      return Verdict::kRoundOver;
    case Reason::kDigestMismatch:
      return Verdict::kStartOver;
    case Reason::kSizeMismatch:
      return Verdict::kImpossible;
    case Reason::kStorageFull:
    case Reason::kClockSkew:
    case Reason::kRevoked:
    case Reason::kUnknownStore:
    case Reason::kDuplicateIdentity:
      return Verdict::kTryAgain;
    default:
      return VerdictOf(status.code());
  }
}

absl::Duration WaitOf(const Status& status) {
  switch (ReasonOf(status)) {
    case Reason::kRevoked:
    case Reason::kUnknownStore:
    case Reason::kDuplicateIdentity:
    case Reason::kVersionUnsupported:
      return std::max(kForAPerson, RetryAfterOf(status));
    default:
      return RetryAfterOf(status);
  }
}

}  // namespace

agent::CallOutcome OutcomeOf(const Status& status) {
  if (status.ok()) return {};
  return {.verdict = VerdictOf(status),
          .detail = fmt::format("{}: {}", CodeName(status.code()), MessageOf(status)),
          .wait_min = WaitOf(status)};
}

}  // namespace aisle
