#include "proto/convert/fleet.h"

#include <algorithm>

#include "base/overloaded.h"
#include "base/reason.h"
#include "base/utf8.h"
#include "proto/convert/secure_sum.h"

namespace aisle {
namespace {

constexpr size_t kAgentVersionLengthMax = 64;
constexpr int64_t kUnixMsMax = 253'402'300'799'999;  // The end of the year 9999.

// Text that people will read: bounded, and cut rather than refused, so that a long reason never hides a short fact.
// What is cut within a character would make the whole message unreadable.
std::string Detail(const std::string& text) { return Utf8Text(text, kDetailLengthMax); }

Status CheckUpdateSize(uint64_t size) {
  if (size == 0 || size % 4 != 0 || size > kUpdateSizeMax) {
    return InvalidArgument("update.size_bytes is {}; it must be a positive multiple of 4 up to {}", size,
                           kUpdateSizeMax);
  }
  return OkStatus();
}

// A standing that came after this version is of a store that works for a round and has nothing to collect yet.
StoreStanding StandingFromProto(const v1::CheckInRequest& message) {
  switch (message.standing()) {
    case v1::STORE_STANDING_UNSPECIFIED:
    case v1::STORE_STANDING_IDLE:
      return StoreStanding::kIdle;
    case v1::STORE_STANDING_TRAINING:
      return StoreStanding::kTraining;
    case v1::STORE_STANDING_TRAINED:
      return StoreStanding::kTrained;
    case v1::STORE_STANDING_UPLOADED:
      return StoreStanding::kUploaded;
    default:
      return message.has_round() ? StoreStanding::kTraining : StoreStanding::kIdle;
  }
}

}  // namespace

StatusOr<RoundId> FromProto(const v1::RoundRef& message) {
  AISLE_ASSIGN_OR_RETURN(JobId job, JobId::Parse(message.job()));
  if (message.number() == 0) return InvalidArgument("round.number is 0; rounds count from 1");
  return RoundId{.job = std::move(job), .number = message.number()};
}

void ToProto(const RoundId& round, v1::RoundRef* message) {
  message->set_job(round.job.str());
  message->set_number(round.number);
}

StatusOr<Digest> DigestFromProto(std::string_view field, const std::string& bytes) {
  if (bytes.size() != Digest::kSize) {
    return InvalidArgument("{} has {} bytes; a SHA-256 has {}", field, bytes.size(), Digest::kSize);
  }
  return Digest::FromBytes(bytes);
}

StatusOr<BlobName> FromProto(const v1::BlobRef& message) {
  AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("sha256", message.sha256()));
  return BlobName{.digest = digest, .size = message.size_bytes()};
}

void ToProto(const BlobName& blob, v1::BlobRef* message) {
  message->set_sha256(std::string(blob.digest.view()));
  message->set_size_bytes(blob.size);
}

StatusOr<absl::Time> TimeFromProto(std::string_view field, int64_t unix_ms) {
  if (unix_ms < 0 || unix_ms > kUnixMsMax) return InvalidArgument("{} is {} ms, not a time after 1970", field, unix_ms);
  return absl::FromUnixMillis(unix_ms);
}

StatusOr<LedgerHead> FromProto(const v1::LedgerHead& message) {
  AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("ledger head", message.sha256()));
  return LedgerHead{.entries = message.entries(), .digest = digest};
}

void ToProto(const LedgerHead& head, v1::LedgerHead* message) {
  message->set_entries(head.entries);
  message->set_sha256(std::string(head.digest.view()));
}

namespace {

StatusOr<LedgerClaim> ClaimFromProto(const v1::LedgerClaim& message) {
  LedgerClaim claim{.halted = message.halted()};
  AISLE_ASSIGN_OR_RETURN(claim.head, FromProto(message.head()));
  if (message.has_verified()) {
    AISLE_ASSIGN_OR_RETURN(claim.verified, FromProto(message.verified()));
  }
  return claim;
}

void ClaimToProto(const LedgerClaim& claim, v1::LedgerClaim* message) {
  ToProto(claim.head, message->mutable_head());
  if (claim.verified) ToProto(*claim.verified, message->mutable_verified());
  message->set_halted(claim.halted);
}

}  // namespace

StatusOr<CheckIn> FromProto(const v1::CheckInRequest& message) {
  if (message.protocol_major() != kProtocolMajor) {
    return WithReason(
        Unimplemented("the store speaks protocol {}.{}, this coordinator speaks {}.{}; upgrade the older of the two",
                      message.protocol_major(), message.protocol_minor(), kProtocolMajor, kProtocolMinor),
        Reason::kVersionUnsupported);
  }
  if (message.agent_version().size() > kAgentVersionLengthMax) {
    return InvalidArgument("agent_version has {} characters; the limit is {}", message.agent_version().size(),
                           kAgentVersionLengthMax);
  }
  if (static_cast<size_t>(message.tables_size()) > kTablesPerStoreMax ||
      static_cast<size_t>(message.declined_plans_size()) > kDeclinedPlansMax) {
    return InvalidArgument("{} tables and {} declined plans were sent; the limits are {} and {}", message.tables_size(),
                           message.declined_plans_size(), kTablesPerStoreMax, kDeclinedPlansMax);
  }
  CheckIn check_in{.agent_version = message.agent_version(), .willing = message.willing()};
  for (const std::string& name : message.tables()) {
    AISLE_ASSIGN_OR_RETURN(TableName table, TableName::Parse(name));
    check_in.tables.push_back(std::move(table));
  }
  for (const std::string& plan : message.declined_plans()) {
    AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("declined_plans", plan));
    check_in.declined_plans.push_back(digest);
  }
  check_in.protocol_minor = message.protocol_minor();
  check_in.standing = StandingFromProto(message);
  if (check_in.standing != StoreStanding::kIdle) {
    AISLE_ASSIGN_OR_RETURN(check_in.round, FromProto(message.round()));
  }
  check_in.wait_max = std::min(absl::Milliseconds(message.wait_max_ms()), kCheckInWaitMax);
  check_in.agent_instance = message.agent_instance();
  AISLE_ASSIGN_OR_RETURN(check_in.clock, TimeFromProto("clock_unix_ms", message.clock_unix_ms()));
  if (message.has_ledger()) {
    AISLE_ASSIGN_OR_RETURN(check_in.ledger, ClaimFromProto(message.ledger()));
  }
  return check_in;
}

v1::CheckInRequest ToProto(const CheckIn& check_in) {
  v1::CheckInRequest message;
  message.set_protocol_major(kProtocolMajor);
  message.set_protocol_minor(kProtocolMinor);
  message.set_agent_version(check_in.agent_version);
  for (const TableName& table : check_in.tables) message.add_tables(table.str());
  message.set_willing(check_in.willing);
  message.set_standing(static_cast<v1::StoreStanding>(check_in.standing));
  if (check_in.round) ToProto(*check_in.round, message.mutable_round());
  message.set_wait_max_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(check_in.wait_max)));
  message.set_clock_unix_ms(absl::ToUnixMillis(check_in.clock));
  message.set_agent_instance(check_in.agent_instance);
  for (const Digest& plan : check_in.declined_plans) message.add_declined_plans(std::string(plan.view()));
  if (check_in.ledger) ClaimToProto(*check_in.ledger, message.mutable_ledger());
  return message;
}

namespace {

StatusOr<Instruction> TrainFromProto(const v1::TrainInstruction& message) {
  TrainInstruction train{.rounds_total = message.rounds_total(),
                         .plan_signature = message.plan_signature(),
                         .clip_norm = message.clip_norm()};
  if (!(train.clip_norm == 0 || (train.clip_norm >= 1e-6 && train.clip_norm <= 1e6))) {
    return InvalidArgument("clip_norm is {}; it must be 0 or from 1e-6 to 1e6", train.clip_norm);
  }
  AISLE_ASSIGN_OR_RETURN(train.round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(train.plan, FromProto(message.plan()));
  AISLE_ASSIGN_OR_RETURN(train.weights, FromProto(message.weights()));
  AISLE_ASSIGN_OR_RETURN(train.deadline, TimeFromProto("deadline_unix_ms", message.deadline_unix_ms()));
  return train;
}

StatusOr<Instruction> CollectFromProto(const v1::CollectInstruction& message) {
  CollectInstruction collect;
  AISLE_ASSIGN_OR_RETURN(collect.round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(collect.deadline, TimeFromProto("deadline_unix_ms", message.deadline_unix_ms()));
  if (message.has_inbox()) {
    AISLE_ASSIGN_OR_RETURN(collect.inbox, FromProto(message.inbox()));
  }
  return collect;
}

StatusOr<Instruction> ClosedFromProto(const v1::RoundClosed& message) {
  RoundClosed closed{.reason = Detail(message.reason()), .model_version = message.model_version()};
  AISLE_ASSIGN_OR_RETURN(closed.round, FromProto(message.round()));
  switch (message.outcome()) {
    case v1::ROUND_OUTCOME_COMMITTED:
      closed.outcome = RoundOutcome::kCommitted;
      break;
    case v1::ROUND_OUTCOME_LEFT_OUT:
      closed.outcome = RoundOutcome::kLeftOut;
      break;
    default:
      closed.outcome = RoundOutcome::kAborted;
      break;  // An outcome we don't know gave us no model either.
  }
  return closed;
}

}  // namespace

StatusOr<Instruction> FromProto(const v1::CheckInResponse& message) {
  switch (message.instruction_case()) {
    case v1::CheckInResponse::kTrain:
      return TrainFromProto(message.train());
    case v1::CheckInResponse::kCollect:
      return CollectFromProto(message.collect());
    case v1::CheckInResponse::kClosed:
      return ClosedFromProto(message.closed());
    case v1::CheckInResponse::kComeBack:
      return ComeBack{.after = absl::Milliseconds(message.come_back().after_ms())};
    case v1::CheckInResponse::kAdvertise:
      return FromProto(message.advertise());
    case v1::CheckInResponse::kShare:
      return FromProto(message.share());
    case v1::CheckInResponse::kConfirm:
      return FromProto(message.confirm());
    case v1::CheckInResponse::kUnmask:
      return FromProto(message.unmask());
    default:
      return Unimplemented("headquarters gave an instruction this agent doesn't know; upgrade the agent");
  }
}

StatusOr<std::optional<LedgerHead>> AcknowledgedFromProto(const v1::CheckInResponse& message) {
  if (!message.has_ledger_acknowledged()) return std::optional<LedgerHead>();
  AISLE_ASSIGN_OR_RETURN(const LedgerHead head, FromProto(message.ledger_acknowledged()));
  return std::optional(head);
}

v1::CheckInResponse ToProto(const Instruction& instruction, absl::Time now,
                            const std::optional<LedgerHead>& ledger_acknowledged) {
  v1::CheckInResponse message;
  message.set_protocol_minor(kProtocolMinor);
  message.set_clock_unix_ms(absl::ToUnixMillis(now));
  if (ledger_acknowledged) ToProto(*ledger_acknowledged, message.mutable_ledger_acknowledged());
  std::visit(Overloaded{[&](const TrainInstruction& train) {
                          v1::TrainInstruction* out = message.mutable_train();
                          ToProto(train.round, out->mutable_round());
                          ToProto(train.plan, out->mutable_plan());
                          ToProto(train.weights, out->mutable_weights());
                          out->set_deadline_unix_ms(absl::ToUnixMillis(train.deadline));
                          out->set_rounds_total(train.rounds_total);
                          out->set_plan_signature(train.plan_signature);
                          out->set_clip_norm(train.clip_norm);
                        },
                        [&](const CollectInstruction& collect) {
                          ToProto(collect.round, message.mutable_collect()->mutable_round());
                          message.mutable_collect()->set_deadline_unix_ms(absl::ToUnixMillis(collect.deadline));
                          if (collect.inbox) ToProto(*collect.inbox, message.mutable_collect()->mutable_inbox());
                        },
                        [&](const RoundClosed& closed) {
                          v1::RoundClosed* out = message.mutable_closed();
                          ToProto(closed.round, out->mutable_round());
                          out->set_outcome(static_cast<v1::RoundOutcome>(closed.outcome));
                          out->set_reason(Detail(closed.reason));
                          out->set_model_version(closed.model_version);
                        },
                        [&](const ComeBack& come_back) {
                          message.mutable_come_back()->set_after_ms(
                              static_cast<uint32_t>(absl::ToInt64Milliseconds(come_back.after)));
                        },
                        [&](const AdvertiseInstruction& advertise) { ToProto(advertise, message.mutable_advertise()); },
                        [&](const ShareInstruction& share) { ToProto(share, message.mutable_share()); },
                        [&](const ConfirmInstruction& confirm) { ToProto(confirm, message.mutable_confirm()); },
                        [&](const UnmaskInstruction& unmask) { ToProto(unmask, message.mutable_unmask()); }},
             instruction);
  return message;
}

namespace {

// What a newer version, or an older one, has no name for is still an end of the task.
template <typename Reason>
Reason ReasonFrom(int reason, int count) {
  return reason < 1 || reason > count ? Reason::kOther : static_cast<Reason>(reason);
}

}  // namespace

StatusOr<TaskOutcome> OutcomeFromProto(const v1::ReportOutcomeRequest& message) {
  switch (message.outcome_case()) {
    case v1::ReportOutcomeRequest::kTrained: {
      AISLE_ASSIGN_OR_RETURN(const BlobName update, FromProto(message.trained().update()));
      AISLE_RETURN_IF_ERROR(CheckUpdateSize(update.size));
      return Trained{.update = update};
    }
    case v1::ReportOutcomeRequest::kRefused: {
      return Refused{.reason = ReasonFrom<RefusalReason>(message.refused().reason(), kRefusalReasonCount),
                     .detail = Detail(message.refused().detail())};
    }
    case v1::ReportOutcomeRequest::kFailed: {
      return Failed{.reason = ReasonFrom<FailureReason>(message.failed().reason(), kFailureReasonCount),
                    .detail = Detail(message.failed().detail())};
    }
    default:
      return InvalidArgument("the report holds no outcome that is known here");
  }
}

void OutcomeToProto(const TaskOutcome& outcome, v1::ReportOutcomeRequest* message) {
  std::visit(
      Overloaded{[&](const Trained& trained) { ToProto(trained.update, message->mutable_trained()->mutable_update()); },
                 [&](const Refused& refused) {
                   message->mutable_refused()->set_reason(static_cast<v1::RefusalReason>(refused.reason));
                   message->mutable_refused()->set_detail(Detail(refused.detail));
                 },
                 [&](const Failed& failed) {
                   message->mutable_failed()->set_reason(static_cast<v1::FailureReason>(failed.reason));
                   message->mutable_failed()->set_detail(Detail(failed.detail));
                 }},
      outcome);
}

StatusOr<OutcomeReport> FromProto(const v1::ReportOutcomeRequest& message) {
  AISLE_ASSIGN_OR_RETURN(RoundId round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(TaskOutcome outcome, OutcomeFromProto(message));
  return OutcomeReport{.round = std::move(round), .outcome = std::move(outcome)};
}

v1::ReportOutcomeRequest ToProto(const OutcomeReport& report) {
  v1::ReportOutcomeRequest message;
  ToProto(report.round, message.mutable_round());
  OutcomeToProto(report.outcome, &message);
  return message;
}

StatusOr<UploadHeader> FromProto(const v1::UploadHeader& message) {
  UploadHeader header{.offset = message.offset_bytes()};
  AISLE_ASSIGN_OR_RETURN(header.round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(header.update.digest, DigestFromProto("sha256", message.sha256()));
  header.update.size = message.size_bytes();
  AISLE_RETURN_IF_ERROR(CheckUpdateSize(header.update.size));
  if (header.offset > header.update.size) {
    return InvalidArgument("offset_bytes {} lies beyond the update's {} bytes", header.offset, header.update.size);
  }
  return header;
}

void ToProto(const UploadHeader& header, v1::UploadHeader* message) {
  ToProto(header.round, message->mutable_round());
  message->set_sha256(std::string(header.update.digest.view()));
  message->set_size_bytes(header.update.size);
  message->set_offset_bytes(header.offset);
}

}  // namespace aisle
