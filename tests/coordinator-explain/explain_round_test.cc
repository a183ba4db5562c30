// What no scripted chain reaches quickly: records made by hand.
#include "coordinator/explain/explain_round.h"

#include <gtest/gtest.h>

#include "coordinator/explain/explain_job.h"

namespace aisle {
namespace {

absl::Time At(double seconds) { return absl::FromUnixSeconds(1'800'000'000) + absl::Seconds(seconds); }
StoreId StoreNamed(std::string_view name) { return *StoreId::Parse(name); }

RoundRecord AbortedRound(const std::string& reason, const std::vector<std::string>& stores) {
  RoundRecord round{.id = {.job = *JobId::Parse("demand"), .number = 7},
                    .phase = RoundPhase::kAborted,
                    .opened_at = At(0),
                    .closed_at = At(30),
                    .abort_reason = reason};
  for (const std::string& store : stores) {
    round.stores.push_back({.store = StoreNamed(store), .outcome = StoreOutcome::kCollected});
    round.times.push_back({.trained = At(1), .collected = At(2)});
  }
  return round;
}

RoundRecord CommittedRound(uint32_t number, double selecting, double took) {
  return {.id = {.job = *JobId::Parse("demand"), .number = number},
          .phase = RoundPhase::kCommitted,
          .opened_at = At(0),
          .closed_at = At(took),
          .phases = {{.phase = RoundPhase::kSelecting, .began = At(0)},
                     {.phase = RoundPhase::kTraining, .began = At(selecting)}}};
}

TEST(ExplainRoundTest, WhoeverDealtWrongSharesIsNamedAndNobodyWhoseNameIsPartOfIt) {
  const RoundRecord round = AbortedRound("commit_failed: the shares that leeds-01 dealt don't fit its commitment",
                                         {"leeds-0", "leeds-01", "leeds-011"});
  const Explanation explanation = ExplainRound(round, {}, At(100));
  ASSERT_FALSE(explanation.findings.empty());
  EXPECT_EQ(explanation.findings[0].cause, "wrong_shares");
  EXPECT_EQ(explanation.findings[0].stores, std::vector{StoreNamed("leeds-01")});
  EXPECT_NE(explanation.findings[0].fix.find("aisle store revoke leeds-01"), std::string::npos);
}

TEST(ExplainRoundTest, ASumThatGivesNoModelSaysWhy) {
  const Explanation explanation =
      ExplainRound(AbortedRound("commit_failed: the mean isn't finite", {"a"}), {}, At(100));
  ASSERT_FALSE(explanation.findings.empty());
  EXPECT_EQ(explanation.findings[0].cause, "commit_failed");
  EXPECT_NE(explanation.findings[0].sentence.find("isn't finite"), std::string::npos);
}

TEST(ExplainRoundTest, ARoundIsSlowOnlyAgainstOthers) {
  const std::vector<RoundRecord> usual = {CommittedRound(1, 1.0, 10), CommittedRound(2, 1.2, 11),
                                          CommittedRound(3, 0.9, 9)};
  const Explanation slow = ExplainRound(CommittedRound(4, 25, 40), usual, At(100));
  ASSERT_FALSE(slow.findings.empty());
  EXPECT_EQ(slow.findings[0].cause, "waited_for_stores");
  EXPECT_NE(slow.headline.find("where 10.0s is usual"), std::string::npos) << slow.headline;
  EXPECT_TRUE(ExplainRound(CommittedRound(4, 1.1, 10), usual, At(100)).findings.empty());
}

TEST(ExplainRoundTest, SecondCohortsAreMentioned) {
  RoundRecord round = CommittedRound(1, 1, 10);
  round.phases.push_back({.phase = RoundPhase::kAdvertising, .began = At(2)});
  round.phases.push_back({.phase = RoundPhase::kSharing, .began = At(3), .expired = true});
  round.phases.push_back({.phase = RoundPhase::kAdvertising, .began = At(4)});
  round.phases.push_back({.phase = RoundPhase::kSharing, .began = At(5)});
  round.phases.push_back({.phase = RoundPhase::kCollecting, .began = At(6)});
  round.stores = {{.store = StoreNamed("a"), .outcome = StoreOutcome::kCollected},
                  {.store = StoreNamed("b"), .outcome = StoreOutcome::kSilent, .detail = "it dealt no shares"}};
  round.times = {{.trained = At(1), .collected = At(7), .stepped = At(6)}, {.trained = At(1), .stepped = At(2.5)}};
  const Explanation explanation = ExplainRound(round, {}, At(100));
  ASSERT_EQ(explanation.findings.size(), 2U);
  EXPECT_EQ(explanation.findings[0].cause, "shares_silent");
  EXPECT_EQ(explanation.findings[0].stores, std::vector{StoreNamed("b")});
  EXPECT_EQ(explanation.findings[1].cause, "cohort_reformed");
}

TEST(ExplainRoundTest, ARecordOfTheFirstReleaseIsExplainedFromWhatItHas) {
  RoundRecord round = AbortedRound("too_few_trained: 1 of 3 stores have trained", {});
  round.stores = {
      {.store = StoreNamed("a"), .outcome = StoreOutcome::kFailed, .detail = "memory_cap: killed at 64 MiB"},
      {.store = StoreNamed("b"), .outcome = StoreOutcome::kSelected}};
  const Explanation explanation = ExplainRound(round, {}, At(100));
  ASSERT_EQ(explanation.findings.size(), 1U);
  EXPECT_EQ(explanation.findings[0].cause, "memory_cap");
}

TEST(ExplainJobTest, ACauseThatComesAgainIsCounted) {
  JobFacts facts{.job = {.id = *JobId::Parse("demand"), .state = JobState::kRunning}, .stores_enrolled = 9};
  RoundRecord round = AbortedRound("too_few_trained: 1 of 3", {});
  round.stores = {{.store = StoreNamed("a"), .outcome = StoreOutcome::kFailed, .detail = "time_cap: 600s"}};
  facts.rounds = {round, round, CommittedRound(3, 1, 10), round};
  const Explanation explanation = ExplainJob(facts, At(100));
  ASSERT_EQ(explanation.findings.size(), 1U);
  EXPECT_EQ(explanation.findings[0].cause, "time_cap");
  EXPECT_EQ(explanation.findings[0].sentence.find("3 of its last 4 rounds"), 0U) << explanation.findings[0].sentence;
}

}  // namespace
}  // namespace aisle
