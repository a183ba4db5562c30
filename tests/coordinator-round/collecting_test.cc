#include <gtest/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/round_walk.h"

namespace aisle::test {
namespace {

TEST(CollectingTest, FoldsEachUpdateOnceAndCommitsWhenAllAreIn) {
  const test::ExpectCover cover("round.update_repeated");
  Walk walk;
  walk.ToCollecting();
  EXPECT_EQ(Only<FoldUpdate>(walk.Collect(1)).size(), 1);
  EXPECT_TRUE(walk.Collect(1).empty()) << "a repeated update changes nothing";
  EXPECT_EQ(Only<FoldUpdate>(walk.Collect(2)).size(), 1);
  const Effects effects = walk.Collect(3);
  EXPECT_EQ(walk.phase(), PhaseName::kCommitting);
  const auto apply = Only<ApplySum>(effects);
  ASSERT_EQ(apply.size(), 1);
  EXPECT_EQ(apply[0].survivors, (std::vector<StoreId>{Store(1), Store(2), Store(3)}));
}

TEST(CollectingTest, TheDeadlineCommitsWithoutTheSilent) {
  Walk walk;
  walk.ToCollecting();
  walk.Collect(1);
  walk.Collect(3);
  const Effects effects = walk.Expire(PhaseName::kCollecting);
  EXPECT_EQ(walk.phase(), PhaseName::kCommitting);
  EXPECT_EQ(Only<ApplySum>(effects)[0].survivors, (std::vector<StoreId>{Store(1), Store(3)}));
  EXPECT_EQ(walk.round.Check(UpdateCollected{Store(2), UpdateOf(2).digest}).code(), StatusCode::kFailedPrecondition)
      << "late is late";
}

TEST(CollectingTest, NothingCommitsBelowTheMinimum) {
  const test::ExpectCover cover("round.aborted_too_few_updates");
  Walk walk;
  walk.ToCollecting();
  walk.Collect(1);
  const Effects effects = walk.Expire(PhaseName::kCollecting);
  EXPECT_EQ(std::get<Aborted>(walk.round.phase()).reason, AbortReason::kTooFewUpdates);
  EXPECT_TRUE(Only<ApplySum>(effects).empty());
}

TEST(CollectingTest, AnotherDigestThanReportedIsRefused) {
  Walk walk;
  walk.ToCollecting();
  const Status refused = walk.round.Check(UpdateCollected{Store(1), UpdateOf(2).digest});
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
}

TEST(CollectingTest, AnEarlyUpdateIsRefused) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  EXPECT_EQ(walk.round.Check(UpdateCollected{Store(1), UpdateOf(1).digest}).code(), StatusCode::kFailedPrecondition);
}

TEST(CommittingTest, PublishesAndTellsTheSurvivors) {
  Walk walk;
  walk.ToCommitting();
  const Effects effects = walk.Give(ModelPublished{12});
  EXPECT_EQ(std::get<Committed>(walk.round.phase()).model_version, 12);
  for (const Dismiss& dismiss : Only<Dismiss>(effects)) EXPECT_EQ(dismiss.outcome, RoundOutcome::kCommitted);
  EXPECT_EQ(Only<Dismiss>(effects).size(), 3);
  EXPECT_TRUE(std::holds_alternative<CloseRound>(effects.back()));
}

TEST(CommittingTest, ASumThatGivesNoModelAborts) {
  Walk walk;
  walk.ToCommitting();
  walk.Give(CommitFailed{"a weight left the float range"});
  EXPECT_EQ(std::get<Aborted>(walk.round.phase()).reason, AbortReason::kCommitFailed);
}

TEST(CommittingTest, CancellingComesTooLate) {
  Walk walk;
  walk.ToCommitting();
  walk.Give(RoundCancelled{"changed our minds"});
  EXPECT_EQ(walk.phase(), PhaseName::kCommitting);
}

}  // namespace
}  // namespace aisle::test
