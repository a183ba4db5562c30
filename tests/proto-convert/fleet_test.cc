#include "proto/convert/fleet.h"

#include <gtest/gtest.h>

namespace aisle {
namespace {

const RoundId kRound{.job = *JobId::Parse("demand"), .number = 7};
const BlobName kBlob{.digest = Sha256::Of("blob"), .size = 400};
const absl::Time kTime = absl::FromUnixMillis(1'800'000'000'123);

CheckIn FullCheckIn() {
  return {.agent_version = "0.1.0",
          .tables = {*TableName::Parse("sales"), *TableName::Parse("traits")},
          .willing = true,
          .standing = StoreStanding::kTrained,
          .round = kRound,
          .wait_max = absl::Seconds(20),
          .clock = kTime,
          .declined_plans = {Sha256::Of("plan")},
          .agent_instance = 99,
          .ledger = LedgerClaim{.head = {.entries = 7, .digest = Sha256::Of("seven")},
                                .verified = LedgerHead{.entries = 5, .digest = Sha256::Of("five")},
                                .halted = true}};
}

TEST(ConvertTest, ACheckInComesThroughWhole) {
  const CheckIn sent = FullCheckIn();
  const CheckIn got = FromProto(ToProto(sent)).value();
  EXPECT_EQ(got.agent_version, sent.agent_version);
  EXPECT_EQ(got.tables, sent.tables);
  EXPECT_EQ(got.willing, sent.willing);
  EXPECT_EQ(got.standing, sent.standing);
  EXPECT_EQ(got.round, sent.round);
  EXPECT_EQ(got.wait_max, sent.wait_max);
  EXPECT_EQ(got.clock, sent.clock);
  EXPECT_EQ(got.declined_plans, sent.declined_plans);
  EXPECT_EQ(got.agent_instance, sent.agent_instance);
  EXPECT_EQ(got.ledger, sent.ledger);
}

TEST(ConvertTest, AnAgentMayHaveNothingToSayOfItsLedger) {
  CheckIn sent = FullCheckIn();
  sent.ledger->verified = std::nullopt;
  EXPECT_EQ(FromProto(ToProto(sent))->ledger, sent.ledger);
  sent.ledger = std::nullopt;
  EXPECT_EQ(FromProto(ToProto(sent))->ledger, std::nullopt);
}

TEST(ConvertTest, RefusesLedgerHeadsWithoutADigest) {
  for (const bool verified : {false, true}) {
    v1::CheckInRequest message = ToProto(FullCheckIn());
    v1::LedgerClaim* claim = message.mutable_ledger();
    (verified ? claim->mutable_verified() : claim->mutable_head())->set_sha256("short");
    EXPECT_EQ(FromProto(message).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(ConvertTest, TheAcknowledgedHeadComesThrough) {
  const LedgerHead head{.entries = 12, .digest = Sha256::Of("twelve")};
  const Instruction instruction = ComeBack{absl::Seconds(1)};
  EXPECT_EQ(AcknowledgedFromProto(ToProto(instruction, kTime, head)).value(), head);
  EXPECT_EQ(AcknowledgedFromProto(ToProto(instruction, kTime)).value(), std::nullopt);
  v1::CheckInResponse message = ToProto(instruction, kTime, head);
  message.mutable_ledger_acknowledged()->clear_sha256();
  EXPECT_EQ(AcknowledgedFromProto(message).status().code(), StatusCode::kInvalidArgument);
}

TEST(ConvertTest, InstructionsComeThroughWhole) {
  const TrainInstruction train{.round = kRound,
                               .plan = kBlob,
                               .weights = kBlob,
                               .deadline = kTime,
                               .rounds_total = 30,
                               .plan_signature = std::string(64, 's')};
  const auto got_train = std::get<TrainInstruction>(FromProto(ToProto(Instruction(train), kTime)).value());
  EXPECT_EQ(got_train.round, train.round);
  EXPECT_EQ(got_train.plan, train.plan);
  EXPECT_EQ(got_train.weights, train.weights);
  EXPECT_EQ(got_train.deadline, train.deadline);
  EXPECT_EQ(got_train.rounds_total, train.rounds_total);
  EXPECT_EQ(got_train.plan_signature, train.plan_signature);
  const auto collect = std::get<CollectInstruction>(
      FromProto(ToProto(Instruction(CollectInstruction{.round = kRound, .deadline = kTime}), kTime)).value());
  EXPECT_EQ(collect.deadline, kTime);
  const auto closed = std::get<RoundClosed>(
      FromProto(ToProto(Instruction(RoundClosed{.round = kRound, .outcome = RoundOutcome::kLeftOut, .reason = "late"}),
                        kTime))
          .value());
  EXPECT_EQ(closed.outcome, RoundOutcome::kLeftOut);
  EXPECT_EQ(closed.reason, "late");
  const auto come_back =
      std::get<ComeBack>(FromProto(ToProto(Instruction(ComeBack{absl::Milliseconds(1500)}), kTime)).value());
  EXPECT_EQ(come_back.after, absl::Milliseconds(1500));
}

TEST(ConvertTest, OutcomesComeThroughWhole) {
  for (const TaskOutcome& outcome :
       {TaskOutcome(Trained{kBlob}), TaskOutcome(Refused{RefusalReason::kSecureSumRequired, "insists"}),
        TaskOutcome(Failed{FailureReason::kStorage, "disk"})}) {
    const OutcomeReport got = FromProto(ToProto(OutcomeReport{.round = kRound, .outcome = outcome})).value();
    EXPECT_EQ(got.round, kRound);
    EXPECT_EQ(got.outcome, outcome);
  }
}

// Every field that a stranger may get wrong, and what is said about it.
struct Mistake {
  std::string name;
  std::function<void(v1::CheckInRequest&)> make;
  StatusCode code;
  std::string says;
};
class CheckInMistakeTest : public ::testing::TestWithParam<Mistake> {};

TEST_P(CheckInMistakeTest, IsRefusedByName) {
  v1::CheckInRequest message = ToProto(FullCheckIn());
  GetParam().make(message);
  const Status refused = FromProto(message).status();
  EXPECT_EQ(refused.code(), GetParam().code);
  EXPECT_NE(MessageOf(refused).find(GetParam().says), std::string_view::npos) << MessageOf(refused);
}

INSTANTIATE_TEST_SUITE_P(
    , CheckInMistakeTest,
    ::testing::Values(Mistake{"OtherMajorVersion", [](auto& m) { m.set_protocol_major(2); }, StatusCode::kUnimplemented,
                              "protocol 2."},
                      Mistake{"LongVersion", [](auto& m) { m.set_agent_version(std::string(65, 'v')); },
                              StatusCode::kInvalidArgument, "65"},
                      Mistake{"BadTable", [](auto& m) { m.set_tables(0, "../etc"); }, StatusCode::kInvalidArgument,
                              "table name"},
                      Mistake{"ManyTables",
                              [](auto& m) {
                                for (int i = 0; i < 300; ++i) m.add_tables("t");
                              },
                              StatusCode::kInvalidArgument, "302 tables"},
                      Mistake{"ShortDigest", [](auto& m) { m.set_declined_plans(0, "short"); },
                              StatusCode::kInvalidArgument, "declined_plans"},
                      Mistake{"NoRound", [](auto& m) { m.clear_round(); }, StatusCode::kInvalidArgument, "job id"},
                      Mistake{"RoundZero", [](auto& m) { m.mutable_round()->set_number(0); },
                              StatusCode::kInvalidArgument, "count from 1"},
                      Mistake{"ClockBefore1970", [](auto& m) { m.set_clock_unix_ms(-1); }, StatusCode::kInvalidArgument,
                              "clock_unix_ms"}),
    [](const auto& test) { return test.param.name; });

TEST(ConvertTest, WaitsAreCutAtTheirLimit) {
  v1::CheckInRequest message = ToProto(FullCheckIn());
  message.set_wait_max_ms(UINT32_MAX);
  EXPECT_EQ(FromProto(message)->wait_max, kCheckInWaitMax);
}

TEST(ConvertTest, UpdatesOfImpossibleSizesAreRefused) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{6}, kUpdateSizeMax + 4}) {
    v1::ReportOutcomeRequest report = ToProto(OutcomeReport{.round = kRound, .outcome = Trained{kBlob}});
    report.mutable_trained()->mutable_update()->set_size_bytes(size);
    EXPECT_EQ(FromProto(report).status().code(), StatusCode::kInvalidArgument) << size;
  }
  v1::UploadHeader header;
  ToProto(UploadHeader{.round = kRound, .update = kBlob, .offset = 400}, &header);
  EXPECT_TRUE(FromProto(header).ok());
  header.set_offset_bytes(401);
  EXPECT_EQ(FromProto(header).status().code(), StatusCode::kInvalidArgument);
}

TEST(ConvertTest, StandingsFromTheFutureAreAtWorkForTheirRound) {
  v1::CheckInRequest message = ToProto(FullCheckIn());
  message.set_standing(static_cast<v1::StoreStanding>(99));
  EXPECT_EQ(FromProto(message)->standing, StoreStanding::kTraining);
  EXPECT_EQ(FromProto(message)->round, FullCheckIn().round);
  message.clear_round();
  EXPECT_EQ(FromProto(message)->standing, StoreStanding::kIdle);
}

TEST(ConvertTest, ReasonsFromTheFutureEndTheTaskAllTheSame) {
  v1::ReportOutcomeRequest report;
  ToProto(kRound, report.mutable_round());
  report.mutable_refused()->set_reason(static_cast<v1::RefusalReason>(77));
  report.mutable_refused()->set_detail("for a reason of tomorrow");
  EXPECT_EQ(FromProto(report)->outcome, TaskOutcome(Refused{RefusalReason::kOther, "for a reason of tomorrow"}));
  report.mutable_failed()->set_reason(static_cast<v1::FailureReason>(-1));
  EXPECT_EQ(FromProto(report)->outcome, TaskOutcome(Failed{FailureReason::kOther, ""}));
}

TEST(ConvertTest, LongDetailsAreCutAndWhatSaysNothingIsRefused) {
  v1::ReportOutcomeRequest report;
  ToProto(kRound, report.mutable_round());
  report.mutable_failed()->set_reason(v1::FAILURE_REASON_PLAN_ERROR);
  report.mutable_failed()->set_detail(std::string(5000, 'd'));
  EXPECT_EQ(std::get<Failed>(FromProto(report)->outcome).detail.size(), kDetailLengthMax);
  EXPECT_FALSE(FromProto(v1::ReportOutcomeRequest{}).ok());
  EXPECT_FALSE(FromProto(v1::CheckInResponse{}).ok());
}

TEST(ConvertTest, DetailsAreReadableWhateverIsInThem) {
  std::string long_one(kDetailLengthMax - 1, 'd');
  for (const std::string& detail : {long_one + "\u20ac", std::string("unknown key '\xff'")}) {
    const std::string sent = ToProto(OutcomeReport{kRound, Failed{FailureReason::kOther, detail}}).SerializeAsString();
    v1::ReportOutcomeRequest got;
    EXPECT_TRUE(got.ParseFromString(sent));
  }
}

}  // namespace
}  // namespace aisle
