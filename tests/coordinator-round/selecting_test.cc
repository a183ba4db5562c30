#include <gtest/gtest.h>

#include "base/cover.h"
#include "tests/coordinator-round/round_walk.h"

namespace aisle::test {
namespace {

TEST(SelectingTest, OpensWithItsDeadline) {
  Walk walk;
  const auto deadlines = Only<SetDeadline>(walk.round.Open());
  ASSERT_EQ(deadlines.size(), 1);
  EXPECT_EQ(deadlines[0].at, kOpened + absl::Seconds(30));
  EXPECT_EQ(deadlines[0].phase, PhaseName::kSelecting);
}

TEST(SelectingTest, AsksEveryoneToTrainAsSoonAsEnoughHaveCome) {
  Walk walk;
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(walk.Offer(i).empty());
  EXPECT_TRUE(walk.round.WantsStores());
  const Effects effects = walk.Offer(4);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  EXPECT_EQ(Only<AskToTrain>(effects).size(), 4);
  EXPECT_FALSE(walk.round.WantsStores());
}

struct DeadlineCase {
  std::string name;
  int offered;
  PhaseName expected;
};

class SelectionDeadlineTest : public ::testing::TestWithParam<DeadlineCase> {};

TEST_P(SelectionDeadlineTest, DecidesByWhoCame) {
  Walk walk;
  for (int i = 1; i <= GetParam().offered; ++i) walk.Offer(i);
  walk.Expire(PhaseName::kSelecting);
  EXPECT_EQ(walk.phase(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    , SelectionDeadlineTest,
    ::testing::Values(DeadlineCase{.name = "NobodyCame", .offered = 0, .expected = PhaseName::kAborted},
                      DeadlineCase{.name = "OneShort", .offered = 1, .expected = PhaseName::kAborted},
                      DeadlineCase{.name = "JustEnough", .offered = 2, .expected = PhaseName::kTraining}),
    [](const auto& test) { return test.param.name; });

TEST(SelectingTest, ATooSmallCohortIsReleasedAndTheReasonSaysTheNumbers) {
  const uint64_t before = CoverageCount("round.aborted_too_few_stores");
  Walk walk;
  walk.Offer(1);
  const Effects effects = walk.Expire(PhaseName::kSelecting);
  EXPECT_EQ(Only<Release>(effects).size(), 1);
  EXPECT_EQ(Only<CloseRound>(effects).size(), 1);
  const auto& aborted = std::get<Aborted>(walk.round.phase());
  EXPECT_EQ(aborted.reason, AbortReason::kTooFewStores);
  EXPECT_NE(aborted.explanation.find("1 stores offered"), std::string::npos) << aborted.explanation;
  EXPECT_EQ(CoverageCount("round.aborted_too_few_stores"), before + 1);
}

TEST(SelectingTest, AnOfferMadeTwiceCountsOnce) {
  Walk walk;
  for (int i = 0; i < 10; ++i) walk.Offer(1);
  EXPECT_EQ(walk.phase(), PhaseName::kSelecting);
  EXPECT_EQ(std::get<Selecting>(walk.round.phase()).candidates.size(), 1);
}

TEST(SelectingTest, TakesEveryoneWhileNoMoreCameThanAreWanted) {
  RoundPolicy policy = SmallPolicy();
  policy.selection_wanted = 2;
  policy.cohort_target = 2;
  Walk walk(policy);
  walk.Offer(1, 9);
  walk.Offer(2, 3);
  const Roster& roster = *RosterOf(walk.round.phase());
  EXPECT_NE(roster.Find(Store(1)), nullptr);
  EXPECT_NE(roster.Find(Store(2)), nullptr);
}

TEST(SelectingTest, LateOffersAreToldSo) {
  Walk walk;
  walk.ToTraining();
  const Status refused = walk.round.Check(StoreOffered{Store(9), {}});
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(walk.Offer(9).empty());
  EXPECT_EQ(RosterOf(walk.round.phase())->Find(Store(9)), nullptr);
}

TEST(SelectingTest, AStaleDeadlineChangesNothing) {
  Walk walk;
  walk.ToTraining();
  EXPECT_TRUE(walk.Give(DeadlinePassed{PhaseName::kSelecting}).empty());
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
}

}  // namespace
}  // namespace aisle::test
