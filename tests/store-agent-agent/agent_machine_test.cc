#include "store-agent/agent/agent_machine.h"

#include <gtest/gtest.h>

#include "base/cover.h"
#include "tests/base/expect_cover.h"
#include "tests/store-agent-agent/agent_harness.h"

namespace aisle::agent {
namespace {

TEST(AgentMachineTest, ARoundGoesFromIdleToIdle) {
  AgentHarness agent;
  agent.Start();
  ASSERT_TRUE(agent.check_in());
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kIdle);
  EXPECT_FALSE(agent.check_in()->round);
  agent.Reach("training");
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kTraining);
  EXPECT_EQ(agent.check_in()->round, Round(1));
  agent.Reach("training");
  agent.Post(UpdateTrained{agent.step<TrainUpdate>().ticket});
  agent.Post(UpdateReleased{agent.step<ReleaseUpdate>().ticket, Update()});
  EXPECT_FALSE(agent.check_in()) << "the report speaks for the store";
  EXPECT_EQ(std::get<Trained>(agent.step<ReportOutcome>().outcome).update, Update());
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kTrained);
  agent.Answer(CollectInstruction{.round = Round(1)});
  EXPECT_FALSE(agent.step<UploadUpdate>().resume) << "the first try begins at the start";
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket});
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kUploaded);
  agent.Answer(RoundClosed{.round = Round(1), .outcome = RoundOutcome::kCommitted, .model_version = 2});
  EXPECT_EQ(agent.state(), "idle");
  EXPECT_EQ(agent.step<TellRoundEnded>().result, RoundResult::kCommitted);
  EXPECT_EQ(agent.step<DropSpool>().round, Round(1));
  EXPECT_FALSE(agent.record());
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kIdle);
}

TEST(AgentMachineTest, TheRecordIsSavedBeforeAnythingFollowsFromIt) {
  AgentHarness agent;
  agent.Start();
  agent.Answer(agent.Instruct());
  EXPECT_LT(agent.PositionOf<SaveRecord>(), agent.PositionOf<FetchBlob>());
  agent.Reach("training");
  agent.Post(UpdateTrained{agent.step<TrainUpdate>().ticket});
  EXPECT_LT(agent.PositionOf<SaveRecord>(), agent.PositionOf<ReleaseUpdate>());
  EXPECT_TRUE(std::holds_alternative<ReleasingRecord>(*agent.record()));
  agent.Post(UpdateReleased{agent.step<ReleaseUpdate>().ticket, Update()});
  EXPECT_LT(agent.PositionOf<SaveRecord>(), agent.PositionOf<ReportOutcome>());
  EXPECT_TRUE(std::holds_alternative<FinishedRecord>(*agent.record()));
}

TEST(AgentMachineTest, ARefusedPlanIsReportedAndToldInLaterCheckIns) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("vetting_plan");
  agent.Post(TaskRefused{agent.step<VetPlan>().ticket, Refused{RefusalReason::kPrivacyBudget, "spent"}});
  EXPECT_EQ(std::get<Refused>(agent.step<ReportOutcome>().outcome).reason, RefusalReason::kPrivacyBudget);
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.state(), "idle");
  EXPECT_EQ(agent.step<TellRoundEnded>().refusal, RefusalReason::kPrivacyBudget);
  ASSERT_EQ(agent.check_in()->declined_plans.size(), 1u);
  EXPECT_EQ(agent.check_in()->declined_plans[0], Blob("plan").digest);
  agent.Post(SiteChanged{});
  EXPECT_TRUE(agent.check_in()->declined_plans.empty()) << "the site changed, so the answer may too";
}

TEST(AgentMachineTest, AHoursRefusalIsNoLastingOne) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("vetting_plan");
  agent.Post(TaskRefused{agent.step<VetPlan>().ticket, Refused{RefusalReason::kOutsideHours, ""}});
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_TRUE(agent.check_in()->declined_plans.empty());
}

TEST(AgentMachineTest, ATaskAfterItsDeadlineIsReportedFailed) {
  AgentHarness agent;
  agent.Start();
  TrainInstruction late = agent.Instruct();
  late.deadline = agent.now() - absl::Seconds(1);
  agent.Answer(late);
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kTimeCap);
}

TEST(AgentMachineTest, DeadlinesAreJudgedByHeadquartersClock) {
  AgentHarness agent;
  agent.Start();
  TrainInstruction task = agent.Instruct();
  task.deadline = agent.now() + absl::Minutes(5);
  agent.AnswerAt(task, agent.now() - absl::Minutes(10));  // The store's clock is ten minutes fast.
  EXPECT_EQ(agent.machine().clock_skew(), -absl::Minutes(10));
  agent.Reach("training");
  EXPECT_EQ(agent.step<TrainUpdate>().deadline, task.deadline + absl::Minutes(10));
}

TEST(AgentMachineTest, AnOversizedPlanIsRefusedBeforeAByteIsFetched) {
  AgentHarness agent;
  agent.Start();
  TrainInstruction task = agent.Instruct();
  task.plan.size = kPlanSizeMax + 1;
  agent.Answer(task);
  EXPECT_EQ(agent.Find<FetchBlob>(), nullptr);
  EXPECT_EQ(std::get<Refused>(agent.step<ReportOutcome>().outcome).reason, RefusalReason::kResourceCap);
}

TEST(AgentMachineTest, DownloadsAreTriedAgainUntilTheDeadline) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("fetching_weights");
  for (int i = 0; i < 5; ++i) {
    agent.Post(BlobFetched{agent.step<FetchBlob>().ticket, Again()});
    ASSERT_TRUE(agent.due(Timer::kTask));
    EXPECT_LE(*agent.due(Timer::kTask) - agent.now(), kBackoffBase * (1 << i));
    agent.RunOut(Timer::kTask);
    EXPECT_EQ(agent.step<FetchBlob>().blob, Blob("weights"));
  }
  agent.Pass(absl::Minutes(11));
  agent.Post(BlobFetched{agent.step<FetchBlob>().ticket, Again()});
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kDownload);
}

TEST(AgentMachineTest, ABlobThatStaysWrongIsGivenUp) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("fetching_plan");
  for (int i = 1; i < kWrongBlobsMax; ++i) {
    agent.Post(BlobFetched{agent.step<FetchBlob>().ticket, {.verdict = Verdict::kStartOver}});
    agent.RunOut(Timer::kTask);
  }
  agent.Post(BlobFetched{agent.step<FetchBlob>().ticket, {.verdict = Verdict::kStartOver}});
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kDownload);
}

TEST(AgentMachineTest, AReportIsRepeatedUntilItIsHeard) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("reporting");
  for (int i = 0; i < 3; ++i) {
    agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket, Again()});
    agent.RunOut(Timer::kTask);
    EXPECT_EQ(agent.step<ReportOutcome>().round, Round(1));
  }
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.state(), "holding");
}

TEST(AgentMachineTest, AReportForARoundThatIsOverEndsTheTask) {
  const uint64_t before = CoverageCount("agent.report_turned_away");
  AgentHarness agent;
  agent.Start();
  agent.Reach("reporting");
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket, {.verdict = Verdict::kRoundOver}});
  EXPECT_EQ(agent.state(), "idle");
  EXPECT_EQ(agent.step<TellRoundEnded>().result, RoundResult::kLeftOut);
  EXPECT_FALSE(agent.record());
  EXPECT_EQ(CoverageCount("agent.report_turned_away"), before + 1);
}

TEST(AgentMachineTest, ABrokenUploadIsResumed) {
  const test::ExpectCover cover("agent.upload_started_over");
  AgentHarness agent;
  agent.Start();
  agent.Reach("uploading");
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket, Again()});
  agent.RunOut(Timer::kTask);
  EXPECT_TRUE(agent.step<UploadUpdate>().resume);
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket, {.verdict = Verdict::kStartOver}});
  agent.RunOut(Timer::kTask);
  EXPECT_FALSE(agent.step<UploadUpdate>().resume) << "headquarters holds something else";
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket});
  EXPECT_EQ(agent.state(), "delivered");
}

TEST(AgentMachineTest, AnUploadToAClosedRoundAsksHowItEnded) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("uploading");
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket, {.verdict = Verdict::kRoundOver}});
  EXPECT_EQ(agent.state(), "holding");
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kTrained);
  agent.Answer(CollectInstruction{.round = Round(1)});
  EXPECT_TRUE(agent.step<UploadUpdate>().resume) << "an upload was tried before";
}

TEST(AgentMachineTest, AnUpdateThatHeadquartersWontTakeIsReportedFailed) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("uploading");
  agent.Post(UpdateUploaded{agent.step<UploadUpdate>().ticket, {.verdict = Verdict::kImpossible, .detail = "length"}});
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kPlanError);
}

TEST(AgentMachineTest, ALostSpoolIsReportedFailed) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("uploading");
  agent.Post(TaskFailed{agent.step<UploadUpdate>().ticket, Failed{FailureReason::kStorage, "gone"}});
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kStorage);
}

// Headquarters may close the round whatever the store is doing for it.
class ClosingTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ClosingTest, StopsTheStepAndDropsTheTask) {
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  agent.Answer(RoundClosed{.round = Round(1), .outcome = RoundOutcome::kAborted, .reason = "cancelled"});
  EXPECT_EQ(agent.state(), "idle");
  const bool busy = std::string_view(GetParam()) != "holding" && std::string_view(GetParam()) != "delivered";
  EXPECT_EQ(agent.Find<StopTask>() != nullptr, busy);
  EXPECT_EQ(agent.step<TellRoundEnded>().result, RoundResult::kAborted);
  EXPECT_EQ(agent.step<DropSpool>().round, Round(1));
  EXPECT_FALSE(agent.record());
  ASSERT_TRUE(agent.check_in());
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kIdle);
}

TEST_P(ClosingTest, IgnoresTheEndOfAnotherRound) {
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  const std::string before = agent.state();
  agent.Answer(RoundClosed{.round = Round(9), .outcome = RoundOutcome::kAborted});
  EXPECT_EQ(agent.state(), before);
  EXPECT_TRUE(agent.record());
  EXPECT_EQ(agent.Find<StopTask>(), nullptr);
  EXPECT_EQ(agent.Find<DropSpool>(), nullptr);
}

TEST_P(ClosingTest, IgnoresASecondTask) {
  const uint64_t before = CoverageCount("agent.second_task_ignored");
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  const std::string state = agent.state();
  agent.Answer(agent.Instruct(2));
  EXPECT_EQ(agent.state(), state);
  EXPECT_EQ(RoundOf(agent.machine().state()), Round(1));
  EXPECT_EQ(CoverageCount("agent.second_task_ignored"), before + 1);
}

TEST_P(ClosingTest, IgnoresAnotherRoundsCollection) {
  AgentHarness agent;
  agent.Start();
  agent.Reach(GetParam());
  const std::string state = agent.state();
  agent.Answer(CollectInstruction{.round = Round(2)});
  EXPECT_EQ(agent.state(), state);
  EXPECT_EQ(agent.Find<UploadUpdate>(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(, ClosingTest,
                         ::testing::Values("fetching_plan", "vetting_plan", "fetching_weights", "training", "releasing",
                                           "holding", "delivered"),
                         [](const auto& test) { return std::string(test.param); });

TEST(AgentMachineTest, ATimerOfADroppedTaskIsCleared) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("fetching_plan");
  agent.Post(BlobFetched{agent.step<FetchBlob>().ticket, Again(absl::Minutes(2))});
  EXPECT_GE(*agent.due(Timer::kTask) - agent.now(), absl::Minutes(2)) << "headquarters asked for peace";
  agent.Answer(RoundClosed{.round = Round(1)});
  EXPECT_FALSE(agent.due(Timer::kTask));
  EXPECT_EQ(agent.Find<StopTask>(), nullptr) << "nothing was running";
}

TEST(AgentMachineTest, TheSameTaskAgainChangesNothingWhileItIsWorkedOn) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("training");
  const int saved = agent.records_saved();
  agent.Answer(agent.Instruct());
  EXPECT_EQ(agent.state(), "training");
  EXPECT_EQ(agent.records_saved(), saved);
  EXPECT_TRUE(agent.check_in());
}

TEST(AgentMachineTest, TheSameTaskAgainWhileHoldingIsAnsweredByTheReport) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("holding");
  agent.Answer(agent.Instruct());
  EXPECT_EQ(std::get<Trained>(agent.step<ReportOutcome>().outcome).update, Update());
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.state(), "holding");
}

TEST(AgentMachineTest, AskedAgainForADeliveredUpdateItResumes) {
  const test::ExpectCover cover("agent.asked_to_upload_again");
  AgentHarness agent;
  agent.Start();
  agent.Reach("delivered");
  agent.Answer(CollectInstruction{.round = Round(1)});
  EXPECT_TRUE(agent.step<UploadUpdate>().resume);
}

TEST(AgentMachineTest, AskedForAnUpdateItNeverMadeItSaysSo) {
  const test::ExpectCover cover("agent.nothing_to_collect");
  AgentHarness agent;
  agent.Start();
  agent.Answer(CollectInstruction{.round = Round(4)});
  EXPECT_EQ(agent.step<ReportOutcome>().round, Round(4));
  EXPECT_EQ(std::get<Failed>(agent.step<ReportOutcome>().outcome).reason, FailureReason::kStorage);
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.state(), "idle");
}

TEST(AgentMachineTest, AnswersToOldQuestionsAreIgnored) {
  AgentHarness agent;
  agent.Start();
  agent.Reach("training");
  const int saved = agent.records_saved();
  agent.Post(BlobFetched{501});
  agent.Post(PlanVetted{502});
  agent.Post(UpdateReleased{503, Update()});
  agent.Post(UpdateTrained{999});
  agent.Post(OutcomeReported{504});
  agent.Post(UpdateUploaded{505});
  agent.Post(TaskFailed{506});
  agent.Post(TaskRefused{507});
  agent.Post(CheckInAnswered{1, ComeBack{absl::Hours(1)}, agent.now()});
  agent.Post(CheckInFailed{1, Again()});
  agent.Post(TimerRanOut{Timer::kTask});
  EXPECT_EQ(agent.state(), "training");
  EXPECT_EQ(agent.records_saved(), saved);
  EXPECT_TRUE(agent.check_in());
}

}  // namespace
}  // namespace aisle::agent
