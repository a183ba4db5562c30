#include "store-agent/driver/agent_driver.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <filesystem>

#include "base/cover.h"
#include "tests/store-agent-driver/scripted.h"

namespace aisle {

std::string ScriptedAgent::Metrics() const {
  return prometheus::TextSerializer().Serialize(metrics.registry()->Collect());
}

namespace {

TEST(AgentDriverTest, WorksThroughARound) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train(), ComeBack{absl::Minutes(5)}, agent.Collect(), agent.Close()};
  ASSERT_TRUE(agent.Start().ok());
  agent.Run();
  ASSERT_EQ(agent.link.reports.size(), 1u);
  const auto& trained = std::get<Trained>(agent.link.reports[0]);
  ASSERT_EQ(agent.link.uploads.size(), 1u);
  EXPECT_EQ(Sha256::Of(agent.link.uploads[0]), trained.update.digest);
  EXPECT_EQ(agent.steps->calls, (std::vector<std::string>{"vet", "train", "release", "forget"}));
  EXPECT_FALSE(std::filesystem::exists(agent.folder.File("task")));
  EXPECT_TRUE(std::filesystem::is_empty(agent.folder.File("spool")));
  EXPECT_NE(agent.Metrics().find("aisle_agent_rounds_total{result=\"committed\"} 1"), std::string::npos);
  EXPECT_NE(agent.Metrics().find("aisle_agent_sent_bytes_total 16"), std::string::npos);
}

TEST(AgentDriverTest, NoTimerLiesBetweenAnAnswerAndWhatFollowsFromIt) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train(1), ComeBack{absl::Minutes(5)}, agent.Collect(1), agent.Close(1),
                        agent.Train(2), ComeBack{absl::Minutes(5)}, agent.Collect(2), agent.Close(2)};
  const absl::Time began = agent.executor.Now();
  ASSERT_TRUE(agent.Start().ok());
  agent.executor.RunDue();
  EXPECT_EQ(agent.link.uploads.size(), 2u);
  EXPECT_EQ(agent.link.check_ins.back().standing, StoreStanding::kIdle) << "it offers itself for the next round";
  EXPECT_TRUE(agent.link.answers.empty());
  EXPECT_EQ(agent.executor.Now(), began);
}

CohortTerms SumTerms() {
  return {.round = ScriptedAgent::Round(), .plan = Sha256::Of("a plan"), .length = 4, .cohort_min = 2};
}

TEST(AgentDriverTest, TakesTheStepsOfTheSecureSumAndUploadsTheMaskedVectorOnly) {
  ScriptedAgent agent;
  ASSERT_TRUE(agent.Start().ok());
  agent.steps->sum = SumTerms();
  agent.link.answers = {agent.Train(),
                        ComeBack{absl::Minutes(5)},
                        AdvertiseInstruction{.round = ScriptedAgent::Round(), .attempt = 2},
                        CollectInstruction{.round = ScriptedAgent::Round(), .inbox = SharesInbox{.attempt = 2}},
                        ConfirmInstruction{.round = ScriptedAgent::Round(), .attempt = 2},
                        agent.Close()};
  agent.Run();
  EXPECT_EQ(std::get<Trained>(agent.link.reports.at(0)).update, (BlobName{.digest = {}, .size = 16}));
  ASSERT_EQ(agent.link.sum_steps.size(), 2u);
  EXPECT_EQ(agent.link.sum_steps[0].attempt, 2u);
  EXPECT_EQ(agent.link.sum_steps[0].round, ScriptedAgent::Round());
  ASSERT_EQ(agent.sum.taken.size(), 3u);
  EXPECT_EQ(agent.sum.taken[0].terms.length, 4u);
  ASSERT_EQ(agent.link.uploads.size(), 1u);
  const std::vector<uint32_t> masked = {2, 3, 4, 5};
  EXPECT_EQ(agent.link.uploads[0], std::string(reinterpret_cast<const char*>(masked.data()), 16));
  EXPECT_EQ(agent.sum.forgotten, std::vector<RoundId>{ScriptedAgent::Round()});
  EXPECT_TRUE(std::filesystem::is_empty(agent.folder.File("spool")));
}

TEST(AgentDriverTest, ARefusedStepOfTheSecureSumIsReportedAndCounted) {
  ScriptedAgent agent;
  ASSERT_TRUE(agent.Start().ok());
  agent.steps->sum = SumTerms();
  agent.sum.end = Refused{RefusalReason::kRosterForged, "signed by nobody"};
  agent.link.answers = {agent.Train(), ComeBack{absl::Minutes(5)}, ShareInstruction{.round = ScriptedAgent::Round()}};
  agent.Run();
  EXPECT_TRUE(agent.link.sum_steps.empty());
  ASSERT_EQ(agent.link.reports.size(), 2u);
  EXPECT_EQ(std::get<Refused>(agent.link.reports[1]).reason, RefusalReason::kRosterForged);
  EXPECT_NE(agent.Metrics().find("reason=\"roster_forged\"} 1"), std::string::npos) << agent.Metrics();
}

TEST(AgentDriverTest, TheCheckInSaysHowThingsAre) {
  ScriptedAgent agent;
  agent.site.willing = false;
  ASSERT_TRUE(agent.Start().ok());
  agent.executor.RunDue();
  ASSERT_EQ(agent.link.check_ins.size(), 1u);
  const CheckIn said = agent.link.check_ins[0];
  EXPECT_FALSE(said.willing);
  EXPECT_EQ(said.tables.size(), 1u);
  EXPECT_EQ(said.clock, agent.executor.Now());
  EXPECT_EQ(said.standing, StoreStanding::kIdle);
  EXPECT_NE(said.agent_instance, 0u);
  EXPECT_EQ(said.agent_version, "0.1.0");
  agent.site.willing = true;
  agent.driver->SiteChanged();
  agent.executor.RunDue();
  ASSERT_EQ(agent.link.check_ins.size(), 2u) << "news are told at once";
  EXPECT_TRUE(agent.link.check_ins[1].willing);
  EXPECT_EQ(agent.link.check_ins[1].agent_instance, said.agent_instance);
}

TEST(AgentDriverTest, TheLedgerIsComparedBeforeAnythingOfAnAnswerIsDone) {
  ScriptedAgent agent;
  const LedgerHead head{.entries = 3, .digest = Sha256::Of("three")};
  agent.site.claim = LedgerClaim{.head = head};
  agent.link.ledger_acknowledged = LedgerHead{.entries = 2, .digest = Sha256::Of("two")};
  agent.link.answers = {agent.Train()};
  ASSERT_TRUE(agent.Start().ok());
  while (agent.site.compared.empty()) {
    EXPECT_TRUE(agent.steps->calls.empty());
    ASSERT_TRUE(agent.executor.RunOne());
  }
  EXPECT_EQ(agent.site.compared, std::vector{agent.link.ledger_acknowledged});
  EXPECT_EQ(agent.link.check_ins[0].ledger, agent.site.claim);
  EXPECT_TRUE(agent.steps->calls.empty());
}

// However many tasks run before the process dies, the next one finishes the round; and a vector that was released is
// the one that is sent.
TEST(AgentDriverTest, KilledBetweenAnyTwoTasksItFinishesTheRound) {
  bool whole = false;
  for (int tasks = 0; !whole && tasks < 200; ++tasks) {
    ScriptedAgent agent;
    agent.link.answers = {agent.Train(), ComeBack{absl::Minutes(1)}, agent.Collect(), agent.Close()};
    ASSERT_TRUE(agent.Start().ok());
    for (int i = 0; i < tasks; ++i) agent.executor.RunOne(agent.executor.Now());
    whole = agent.link.answers.empty() && !std::filesystem::exists(agent.folder.File("task"));
    const std::string spooled = agent.folder.Read("spool/demand-1.update");
    agent.Die();
    // Headquarters asks what it would ask a store of that standing.
    agent.link.answers = {};
    ASSERT_TRUE(agent.Start().ok());
    for (int i = 0; i < 20 && !whole; ++i) {
      const bool finished = !agent.link.reports.empty();
      const bool uploaded = !agent.link.uploads.empty();
      agent.link.answers = {uploaded ? agent.Close() : finished ? agent.Collect() : agent.Train()};
      agent.Run(absl::Hours(2));
    }
    ASSERT_GE(agent.link.uploads.size(), 1u) << tasks;
    if (!spooled.empty()) {
      EXPECT_EQ(agent.link.uploads.back(), spooled) << tasks;
    }
    EXPECT_FALSE(std::filesystem::exists(agent.folder.File("task"))) << tasks;
    EXPECT_TRUE(std::filesystem::is_empty(agent.folder.File("spool"))) << tasks;
  }
  EXPECT_TRUE(whole) << "no run was long enough to see the round's end";
}

TEST(AgentDriverTest, TheFinishedUpdateIsSentByteForByteAfterARestart) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train()};
  agent.link.report_status = Unavailable("gone");
  ASSERT_TRUE(agent.Start().ok());
  agent.Run();
  const std::string spooled = agent.folder.Read("spool/demand-1.update");
  ASSERT_FALSE(spooled.empty());
  agent.Die();
  agent.link.report_status = OkStatus();
  agent.link.answers = {ComeBack{}, agent.Collect()};
  ASSERT_TRUE(agent.Start().ok());
  agent.Run(absl::Minutes(1));
  ASSERT_EQ(agent.link.uploads.size(), 1u);
  EXPECT_EQ(agent.link.uploads[0], spooled);
  EXPECT_TRUE(agent.steps->calls.empty()) << "nothing is trained or released again";
}

TEST(AgentDriverTest, ARefusalIsReportedWithItsReason) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train()};
  ASSERT_TRUE(agent.Start().ok());
  agent.steps->vet_end = Refused{RefusalReason::kPrivacyBudget, "epsilon would be 11"};
  agent.Run();
  ASSERT_EQ(agent.link.reports.size(), 1u);
  EXPECT_EQ(agent.link.reports[0], TaskOutcome(Refused{RefusalReason::kPrivacyBudget, "epsilon would be 11"}));
  EXPECT_NE(agent.Metrics().find("aisle_agent_refusals_total{reason=\"privacy_budget\"} 1"), std::string::npos);
  EXPECT_EQ(agent.link.check_ins.back().declined_plans, std::vector<Digest>{agent.plan.digest});
}

TEST(AgentDriverTest, TheByteBudgetRefusesBeforeADownload) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train()};
  ASSERT_TRUE(agent.Start().ok());
  agent.steps->allow_end = Refused{RefusalReason::kByteBudget, ""};
  agent.Run();
  EXPECT_EQ(std::get<Refused>(agent.link.reports.at(0)).reason, RefusalReason::kByteBudget);
  EXPECT_EQ(agent.meter.today(), 0u);
}

TEST(AgentDriverTest, AFullDiskHoldsTheAgentBackUntilThereIsSpace) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train(), ComeBack{absl::Minutes(1)}};
  // The record can't be written: something is in its place.
  std::filesystem::create_directories(agent.folder.File("task.tmp/in-the-way"));
  ASSERT_TRUE(agent.Start().ok());
  std::filesystem::create_directories(agent.folder.File("task/in-the-way"));
  agent.Run(absl::Seconds(30));
  EXPECT_TRUE(agent.steps->calls.empty()) << "nothing happens that isn't on record";
  EXPECT_TRUE(agent.link.reports.empty());
  std::filesystem::remove_all(agent.folder.File("task"));
  std::filesystem::remove_all(agent.folder.File("task.tmp"));
  agent.Run(absl::Minutes(2));
  EXPECT_EQ(agent.link.reports.size(), 1u);
}

TEST(AgentDriverTest, AStoreThatCannotDeliverSeesToItsCertificateAllTheSame) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train(), ComeBack{absl::Minutes(5)}, agent.Collect()};
  agent.link.upload_answer = Unavailable("nobody there");
  ASSERT_TRUE(agent.Start().ok());
  agent.Run(absl::Minutes(6));
  const int before = agent.calls_prepared;
  const size_t asked = agent.link.check_ins.size();
  const size_t tried = agent.link.uploads.size();
  agent.Run(absl::Hours(1));
  EXPECT_EQ(agent.link.check_ins.size(), asked) << "it asks for nothing while it has something to deliver";
  EXPECT_GT(agent.link.uploads.size(), tried);
  EXPECT_EQ(agent.calls_prepared - before, static_cast<int>(agent.link.uploads.size() - tried));
}

TEST(AgentDriverTest, ADamagedRecordIsPutAside) {
  const uint64_t before = CoverageCount("agent.record_damaged");
  ScriptedAgent agent;
  agent.folder.Write("task", "rubbish");
  agent.folder.Write("spool/demand-1.update", "left over");
  ASSERT_TRUE(agent.Start().ok());
  agent.Run();
  EXPECT_EQ(CoverageCount("agent.record_damaged"), before + 1);
  EXPECT_EQ(agent.folder.Read("task.damaged"), "rubbish");
  EXPECT_TRUE(std::filesystem::is_empty(agent.folder.File("spool")));
  EXPECT_EQ(agent.link.check_ins.at(0).standing, StoreStanding::kIdle);
}

TEST(AgentDriverTest, TheWorkerIsLetGoWhenItIsIdleLongEnough) {
  ScriptedAgent agent;
  agent.link.answers = {agent.Train(), ComeBack{}, agent.Collect(), agent.Close()};
  ASSERT_TRUE(agent.Start().ok());
  agent.Run(absl::Seconds(50));
  EXPECT_EQ(std::ranges::count(agent.steps->calls, "let go"), 0);
  agent.Run(absl::Seconds(20));
  EXPECT_EQ(std::ranges::count(agent.steps->calls, "let go"), 1);
}

TEST(AgentDriverTest, AnUnreachableHeadquartersIsAskedEverMoreRarely) {
  ScriptedAgent agent;
  for (int i = 0; i < 1000; ++i) agent.link.answers.emplace_back(Unavailable("nobody there"));
  ASSERT_TRUE(agent.Start().ok());
  agent.Run(absl::Hours(1));
  EXPECT_GT(agent.link.check_ins.size(), 60u);
  EXPECT_LT(agent.link.check_ins.size(), 400u);
  EXPECT_EQ(agent.driver->last_answer(), absl::FromUnixSeconds(std::numeric_limits<int64_t>::min()));
}

TEST(AgentDriverTest, AClockThatIsFarOffIsMeasured) {
  ScriptedAgent agent;
  agent.link.clock_ahead = absl::Minutes(10);
  ASSERT_TRUE(agent.Start().ok());
  agent.Run();
  EXPECT_NE(agent.Metrics().find("aisle_agent_clock_skew_seconds 600"), std::string::npos);
}

}  // namespace
}  // namespace aisle
