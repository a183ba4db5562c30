// The one door between wire messages and values for the Fleet calls. FromProto checks every bound and refuses with
// InvalidArgument naming the field; ToProto can't fail. Nothing behind this door sees protobuf.
#pragma once

#include <optional>

#include "aisle/v1/fleet.pb.h"
#include "base/fleet.h"
#include "base/status.h"

namespace aisle {

StatusOr<RoundId> FromProto(const v1::RoundRef& message);
void ToProto(const RoundId& round, v1::RoundRef* message);

StatusOr<Digest> DigestFromProto(std::string_view field, const std::string& bytes);
StatusOr<BlobName> FromProto(const v1::BlobRef& message);
void ToProto(const BlobName& blob, v1::BlobRef* message);

// Milliseconds since 1970; InvalidArgument outside years 1970 to 9999.
StatusOr<absl::Time> TimeFromProto(std::string_view field, int64_t unix_ms);

StatusOr<LedgerHead> FromProto(const v1::LedgerHead& message);
void ToProto(const LedgerHead& head, v1::LedgerHead* message);

// Unimplemented, naming both versions, if the store speaks another major version.
StatusOr<CheckIn> FromProto(const v1::CheckInRequest& message);
v1::CheckInRequest ToProto(const CheckIn& check_in);

StatusOr<Instruction> FromProto(const v1::CheckInResponse& message);
v1::CheckInResponse ToProto(const Instruction& instruction, absl::Time now,
                            const std::optional<LedgerHead>& ledger_acknowledged = std::nullopt);
// The head of the store's ledger in an answer; none where headquarters knows none.
StatusOr<std::optional<LedgerHead>> AcknowledgedFromProto(const v1::CheckInResponse& message);

struct OutcomeReport {
  RoundId round;
  TaskOutcome outcome;
};
StatusOr<OutcomeReport> FromProto(const v1::ReportOutcomeRequest& message);
v1::ReportOutcomeRequest ToProto(const OutcomeReport& report);

StatusOr<UploadHeader> FromProto(const v1::UploadHeader& message);
void ToProto(const UploadHeader& header, v1::UploadHeader* message);

// Used by the journal as well: the same outcome, on the same terms.
StatusOr<TaskOutcome> OutcomeFromProto(const v1::ReportOutcomeRequest& message);
void OutcomeToProto(const TaskOutcome& outcome, v1::ReportOutcomeRequest* message);

}  // namespace aisle
