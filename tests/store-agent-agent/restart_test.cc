// kill -9 at every durable point, and what the next start makes of it.
#include <gtest/gtest.h>

#include "base/cover.h"
#include "tests/store-agent-agent/agent_harness.h"

namespace aisle::agent {
namespace {

// The vector is in the spool as soon as a release may have ended.
std::optional<BlobName> SpoolOf(const AgentHarness& agent) {
  if (!agent.record() || std::holds_alternative<PreparingRecord>(*agent.record())) return std::nullopt;
  return Update();
}

void FinishFrom(AgentHarness& agent) {
  for (int steps = 0; steps < 20 && agent.state() != "delivered"; ++steps) {
    if (const auto* fetch = agent.Find<FetchBlob>()) {
      agent.Post(BlobFetched{fetch->ticket});
    } else if (const auto* vet = agent.Find<VetPlan>()) {
      agent.Post(PlanVetted{vet->ticket});
    } else if (const auto* train = agent.Find<TrainUpdate>()) {
      agent.Post(UpdateTrained{train->ticket});
    } else if (const auto* release = agent.Find<ReleaseUpdate>()) {
      agent.Post(UpdateReleased{release->ticket, Update()});
    } else if (const auto* report = agent.Find<ReportOutcome>()) {
      agent.Post(OutcomeReported{report->ticket});
    } else if (const auto* upload = agent.Find<UploadUpdate>()) {
      agent.Post(UpdateUploaded{upload->ticket});
    } else if (const auto* sum = agent.Find<TakeSumStep>()) {
      agent.Post(UpdateMasked{sum->ticket, Masked()});
    } else {
      const HeldUpdate* held = HeldOf(agent.machine().state());
      CollectInstruction collect{.round = Round(1)};
      if (held != nullptr && held->sum) collect.inbox = SharesInbox{};
      agent.Answer(collect);
    }
  }
}

class KillTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KillTest, TheRoundIsFinishedAllTheSame) {
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  agent.Restart(SpoolOf(agent));
  EXPECT_EQ(RoundOf(agent.machine().state()), Round(1));
  FinishFrom(agent);
  EXPECT_EQ(agent.state(), "delivered");
  agent.Answer(RoundClosed{.round = Round(1), .outcome = RoundOutcome::kCommitted});
  EXPECT_EQ(agent.state(), "idle");
  EXPECT_FALSE(agent.record());
}

TEST_P(KillTest, TheRoundIsFinishedUnderTheSecureSumAsWell) {
  AgentHarness agent;
  agent.Start();
  agent.SumSecurely();
  agent.Reach(GetParam());
  agent.Restart(SpoolOf(agent));
  if (std::string_view(GetParam()) == "training") agent.Restart();
  const std::string_view at = GetParam();
  if (at == "releasing" || at == "reporting" || at == "holding" || at == "uploading" || at == "delivered") {
    FinishFrom(agent);
    EXPECT_EQ(agent.state(), "delivered");
    EXPECT_EQ(std::get<UploadedRecord>(*agent.record()).held.sum, Terms());
  }
}

TEST_P(KillTest, TwiceIsAsGoodAsOnce) {
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  const std::optional<BlobName> spooled = SpoolOf(agent);
  agent.Restart(spooled);
  const std::string once = agent.state();
  agent.Restart(spooled);
  EXPECT_EQ(agent.state(), once);
}

INSTANTIATE_TEST_SUITE_P(, KillTest,
                         ::testing::Values("fetching_plan", "vetting_plan", "fetching_weights", "training", "releasing",
                                           "reporting", "holding", "uploading", "delivered"),
                         [](const auto& test) { return std::string(test.param); });

TEST(RestartTest, TrainingIsRepeatedWithTheSameSeed) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("training");
  const SecretBytes seed = agent.step<TrainUpdate>().seed.Clone();
  agent.Restart();
  EXPECT_EQ(agent.step<FetchBlob>().blob, Blob("plan"));
  agent.Post(BlobFetched{agent.step<FetchBlob>().ticket});
  agent.Post(PlanVetted{agent.step<VetPlan>().ticket});
  agent.Post(BlobFetched{agent.step<FetchBlob>().ticket});
  EXPECT_EQ(agent.step<TrainUpdate>().seed.Reveal(), seed.Reveal());
}

TEST(RestartTest, TheSeedIsGoneFromTheDiskOnceTrainingIsOver) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("training");
  const SecretBytes seed = agent.step<TrainUpdate>().seed.Clone();
  agent.Post(UpdateTrained{agent.step<TrainUpdate>().ticket});
  EXPECT_EQ(EncodeRecord(*agent.record()).Reveal().find(seed.Reveal()), std::string_view::npos);
}

TEST(RestartTest, ADebitWithoutAFinishedUpdateIsReportedFailedAndNeverReleasedAgain) {
  const uint64_t before = CoverageCount("agent.release_interrupted");
  AgentHarness agent;
  agent.Start();
  agent.Reach("releasing");
  agent.Restart();
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kWorkerCrash);
  EXPECT_EQ(agent.Find<ReleaseUpdate>(), nullptr);
  EXPECT_TRUE(std::holds_alternative<GivenUpRecord>(*agent.record()));
  EXPECT_EQ(CoverageCount("agent.release_interrupted"), before + 1);
}

TEST(RestartTest, AFinishedUpdateWhoseRecordWasLateIsTakenUp) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("releasing");
  agent.Restart(Update());
  EXPECT_EQ(std::get<Trained>(agent.step<ReportOutcome>().outcome).update, Update());
  EXPECT_LT(agent.PositionOf<SaveRecord>(), agent.PositionOf<ReportOutcome>());
}

TEST(RestartTest, AnUpdateThatIsNoLongerWhatWasReportedIsGivenUp) {
  const uint64_t before = CoverageCount("agent.spool_lost");
  AgentHarness agent;
  agent.Start();
  agent.Reach("holding");
  agent.Restart(Blob("something else"));
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kStorage);
  EXPECT_EQ(CoverageCount("agent.spool_lost"), before + 1);
}

TEST(RestartTest, ARefusalIsReportedAfterARestart) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("vetting_plan");
  agent.Post(TaskRefused{agent.step<VetPlan>().ticket, Refused{RefusalReason::kColumnNotAllowed, "sales.name"}});
  agent.Restart();
  const auto refused = std::get<Refused>(agent.step<ReportOutcome>().outcome);
  EXPECT_EQ(refused.reason, RefusalReason::kColumnNotAllowed);
  EXPECT_EQ(refused.detail, "sales.name");
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.state(), "idle");
}

TEST(TaskRecordTest, EveryRecordSurvivesItsBytes) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("fetching_plan");
  const auto& preparing = std::get<PreparingRecord>(*agent.record());
  EXPECT_EQ(preparing.task.round, Round(1));
  EXPECT_EQ(preparing.task.plan, Blob("plan"));
  EXPECT_EQ(preparing.task.weights, Blob("weights"));
  EXPECT_EQ(preparing.task.rounds_total, 5u);
  EXPECT_EQ(preparing.task.plan_signature, std::string(64, 's'));
  EXPECT_EQ(preparing.seed.size(), 32u);
  for (const RefusalReason reason : {RefusalReason::kPlanNotAllowed, RefusalReason::kSecureSumRequired}) {
    const TaskRecord record = GivenUpRecord{Round(3), Refused{reason, "why"}};
    const TaskRecord again = DecodeRecord(EncodeRecord(record).Reveal()).value();
    EXPECT_EQ(std::get<GivenUpRecord>(again).outcome, TaskOutcome(Refused{reason, "why"}));
  }
}

TEST(TaskRecordTest, RecordsOfSummedUpdatesKeepTheStoresOwnTerms) {
  const HeldUpdate held{.round = Round(1), .update = Update(), .sum = Terms()};
  const auto again = [](const TaskRecord& record) { return DecodeRecord(EncodeRecord(record).Reveal()).value(); };
  EXPECT_EQ(std::get<ReleasingRecord>(again(ReleasingRecord{Round(1), Terms()})).sum, Terms());
  EXPECT_EQ(std::get<FinishedRecord>(again(FinishedRecord{held})).held.sum, Terms());
  EXPECT_EQ(std::get<FinishedRecord>(again(FinishedRecord{held})).held.update, Update());
  EXPECT_EQ(std::get<UploadedRecord>(again(UploadedRecord{held})).held.sum, Terms());
  EXPECT_FALSE(std::get<UploadedRecord>(again(UploadedRecord{{Round(1), Update()}})).held.sum);
}

// Bytes as agents wrote them before there was a secure sum: kind, job, number, digest, size, checksum.
TEST(TaskRecordTest, RecordsFromBeforeTheSecureSumAreRead) {
  std::string bytes = "AISLETR1";
  bytes += std::string("\x03\x06\0\0\0demand\x01\0\0\0", 15);
  bytes += Update().digest.view();
  bytes += std::string("\x18\0\0\0\0\0\0\0", 8);
  bytes += Sha256::Of(bytes).view();
  const TaskRecord record = DecodeRecord(bytes).value();
  EXPECT_EQ(std::get<FinishedRecord>(record).held.update, Update());
  EXPECT_FALSE(std::get<FinishedRecord>(record).held.sum);
}

TEST(TaskRecordTest, DamagedBytesAreRefusedWhereverTheyAreDamaged) {
  const SecretBytes whole = EncodeRecord(FinishedRecord{{Round(1), Update()}});
  const std::string bytes(whole.Reveal());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_EQ(DecodeRecord(flipped).status().code(), StatusCode::kDataLoss) << i;
    EXPECT_EQ(DecodeRecord(bytes.substr(0, i)).status().code(), StatusCode::kDataLoss) << i;
  }
  EXPECT_FALSE(DecodeRecord(bytes + "x").ok());
  EXPECT_TRUE(DecodeRecord(bytes).ok());
}

}  // namespace
}  // namespace aisle::agent
