#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

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
  EXPECT_TRUE(walk.round.Wants({}));
  const Effects effects = walk.Offer(4);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  EXPECT_EQ(Only<AskToTrain>(effects).size(), 4);
  EXPECT_FALSE(walk.round.Wants({}));
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

// Four stores may come, of which three are wanted; they joined 0, 1, 1 and 2 rounds before.
RoundPolicy PolicyWithTurns() {
  RoundPolicy policy = SmallPolicy();
  policy.selection_wanted = 3;
  policy.turn = TurnOf({2, 1, 0, 1}, 3);
  policy.turn_wait = absl::Milliseconds(40);
  return policy;
}

TEST(SelectingTest, ClosesAtOnceWhenThoseHaveComeWhoseTurnItIs) {
  Walk walk(PolicyWithTurns());
  walk.Offer(1, 0);
  walk.Offer(2, 1);
  EXPECT_EQ(Only<AskToTrain>(walk.Offer(3, 1)).size(), 3);
}

TEST(SelectingTest, AFullRoundWaitsAMomentForAStoreThatServedLess) {
  const uint64_t before = CoverageCount("round.waits_whose_turn_it_is");
  Walk walk(PolicyWithTurns());
  walk.Offer(4, 2);
  walk.Offer(2, 1);
  const auto deadlines = Only<SetDeadline>(walk.Offer(3, 1));
  ASSERT_EQ(deadlines.size(), 1) << "full, but the store that never served is not here";
  EXPECT_EQ(deadlines[0].at, walk.now + absl::Milliseconds(40));
  EXPECT_FALSE(walk.round.Wants({.rounds_joined = 2}));
  EXPECT_TRUE(walk.round.Wants({.rounds_joined = 0}));
  const Effects effects = walk.Offer(1, 0);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining) << "and closes the moment it comes";
  ASSERT_EQ(Only<Release>(effects).size(), 1);
  EXPECT_EQ(Only<Release>(effects)[0].store, Store(4)) << "who served most makes room";
  EXPECT_EQ(CoverageCount("round.waits_whose_turn_it_is"), before + 1);
}

TEST(SelectingTest, AFullRoundWaitsNoLongerThanItMay) {
  Walk walk(PolicyWithTurns());
  walk.Offer(4, 2);
  walk.Offer(2, 1);
  walk.Offer(3, 1);
  walk.Expire(PhaseName::kSelecting);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  EXPECT_EQ(walk.now, kOpened + absl::Seconds(1) + absl::Milliseconds(40));
}

TEST(SelectingTest, WaitingForTurnsNeverOutlastsTheDeadline) {
  RoundPolicy policy = PolicyWithTurns();
  policy.turn_wait = absl::Hours(1);
  Walk walk(policy);
  for (int i = 2; i <= 4; ++i) walk.Offer(i, 2);
  EXPECT_EQ(ClosesAt(walk.round.phase()), kOpened + policy.selecting_for);
}

TEST(SelectingTest, TiesAreDrawnByLotAndTheSameSeedDrawsTheSame) {
  const auto selected = [](uint64_t seed) {
    RoundPolicy policy = SmallPolicy();
    policy.turn = {.joined_max = 0, .first = 1};  // Never satisfied: the deadline closes.
    policy.turn_wait = absl::Seconds(1);
    RoundMachine round({.job = *JobId::Parse("demand"), .number = 7}, policy, seed, kOpened);
    for (int i = 1; i <= 12; ++i) round.Handle(StoreOffered{Store(i), {.rounds_joined = 1}}, kOpened);
    round.Handle(DeadlinePassed{PhaseName::kSelecting}, kOpened + policy.turn_wait);
    return RosterOf(round.phase())->StoresWith<AskedToTrain>();
  };
  std::map<StoreId, int> drawn;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_EQ(selected(seed), selected(seed));
    for (const StoreId& store : selected(seed)) ++drawn[store];
  }
  ASSERT_EQ(drawn.size(), 12);
  // 300 draws of 4 out of 12: mean 100, standard deviation 8.2. The seeds are fixed; a fair lot would fail 1 in 10^6.
  for (const auto& [store, times] : drawn) EXPECT_NEAR(times, 100, 45) << store.str();
}

// In whatever order all stores come within the wait: taken are those who served least.
RC_GTEST_PROP(SelectingLaws, WhoServedLeastIsTaken, (std::vector<uint8_t> joined)) {
  RC_PRE(joined.size() >= 4);
  joined.resize(std::min<size_t>(joined.size(), 40));
  RoundPolicy policy = SmallPolicy();
  policy.turn = TurnOf({joined.begin(), joined.end()}, policy.selection_wanted);
  policy.turn_wait = absl::Milliseconds(40);
  Walk walk(policy);
  for (size_t i = 0; i < joined.size(); ++i) {
    if (walk.round.Wants({.rounds_joined = joined[i]})) walk.Offer(static_cast<int>(i), joined[i]);
  }
  RC_ASSERT(walk.phase() == PhaseName::kTraining);
  std::vector<uint64_t> taken;
  for (const StoreId& store : RosterOf(walk.round.phase())->StoresWith<AskedToTrain>()) {
    taken.push_back(joined[static_cast<size_t>(std::stoi(store.str().substr(1)))]);
  }
  std::ranges::sort(joined);
  std::ranges::sort(taken);
  RC_ASSERT(std::equal(taken.begin(), taken.end(), joined.begin()));
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
