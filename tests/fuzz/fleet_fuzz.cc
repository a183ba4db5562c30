// What stores and headquarters say to each other, but for the secure sum: bytes from a stranger until the door has
// spoken.
#include "proto/convert/fleet.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"

namespace aisle::fuzz::fleet {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);

template <typename Message>
auto In() {
  return [](const Message& message) { return FromProto(message); };
}

// For converters that fill a message in.
template <typename Message>
auto Out() {
  return [](const auto& value) {
    Message message;
    ToProto(value, &message);
    return message;
  };
}

struct Answer {
  Instruction instruction;
  std::optional<LedgerHead> acknowledged;
  absl::Time clock;
};

StatusOr<Answer> AnswerIn(const v1::CheckInResponse& message) {
  AISLE_ASSIGN_OR_RETURN(Instruction instruction, FromProto(message));
  AISLE_ASSIGN_OR_RETURN(const std::optional<LedgerHead> acknowledged, AcknowledgedFromProto(message));
  AISLE_ASSIGN_OR_RETURN(const absl::Time clock, TimeFromProto("clock_unix_ms", message.clock_unix_ms()));
  return Answer{std::move(instruction), acknowledged, clock};
}

}  // namespace

void TryInput(std::string_view input) {
  const auto out = [](const auto& value) { return ToProto(value); };
  TryDoor<v1::CheckInRequest>(input, In<v1::CheckInRequest>(), out);
  TryDoor<v1::ReportOutcomeRequest>(input, In<v1::ReportOutcomeRequest>(), out);
  TryDoor<v1::CheckInResponse>(input, AnswerIn, [](const Answer& answer) {
    return ToProto(answer.instruction, answer.clock, answer.acknowledged);
  });
  TryDoor<v1::UploadHeader>(input, In<v1::UploadHeader>(), Out<v1::UploadHeader>());
  TryDoor<v1::RoundRef>(input, In<v1::RoundRef>(), Out<v1::RoundRef>());
  TryDoor<v1::BlobRef>(input, In<v1::BlobRef>(), Out<v1::BlobRef>());
  TryDoor<v1::LedgerHead>(input, In<v1::LedgerHead>(), Out<v1::LedgerHead>());
}

std::vector<std::string> Seeds() {
  const RoundId round{.job = *JobId::Parse("demand"), .number = 7};
  const BlobName blob{.digest = Sha256::Of("blob"), .size = 4000};
  const LedgerHead head{.entries = 5, .digest = Sha256::Of("head")};
  const CheckIn check_in{.agent_version = "0.1.0",
                         .tables = {*TableName::Parse("sales"), *TableName::Parse("traits")},
                         .willing = true,
                         .standing = StoreStanding::kTrained,
                         .round = round,
                         .wait_max = absl::Seconds(20),
                         .clock = kAt,
                         .declined_plans = {Sha256::Of("plan")},
                         .agent_instance = 99,
                         .ledger = LedgerClaim{.head = head, .verified = head}};
  const TrainInstruction train{.round = round,
                               .plan = blob,
                               .weights = blob,
                               .deadline = kAt,
                               .rounds_total = 30,
                               .plan_signature = std::string(64, 's'),
                               .clip_norm = 0.5};
  const RoundClosed closed{.round = round, .outcome = RoundOutcome::kCommitted, .reason = "", .model_version = 7};
  v1::UploadHeader header;
  ToProto(UploadHeader{.round = round, .update = blob, .offset = 400}, &header);
  return {Spelled(ToProto(check_in)),
          Spelled(ToProto(Instruction(train), kAt, head)),
          Spelled(ToProto(Instruction(CollectInstruction{.round = round, .deadline = kAt}), kAt)),
          Spelled(ToProto(Instruction(closed), kAt)),
          Spelled(ToProto(Instruction(ComeBack{absl::Seconds(3)}), kAt)),
          Spelled(ToProto(OutcomeReport{round, Trained{blob}})),
          Spelled(ToProto(OutcomeReport{round, Refused{RefusalReason::kPrivacyBudget, "the year is spent"}})),
          Spelled(ToProto(OutcomeReport{round, Failed{FailureReason::kMemoryCap, "2 GiB"}})),
          Spelled(header)};
}

}  // namespace aisle::fuzz::fleet

AISLE_FUZZ_TARGET(fleet);
