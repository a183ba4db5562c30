#include <gtest/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/round_walk.h"

namespace aisle::test {
namespace {

TEST(TrainingTest, GoesOnToCollectWhenTheTargetHasTrained) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  walk.Train(2);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  const Effects effects = walk.Train(3);
  EXPECT_EQ(walk.phase(), PhaseName::kCollecting);
  EXPECT_EQ(Only<CallForUpdate>(effects).size(), 3);
  const auto dismissed = Only<Dismiss>(effects);
  ASSERT_EQ(dismissed.size(), 1) << "the fourth store was over-selected and isn't needed";
  EXPECT_EQ(dismissed[0].store, Store(4));
  EXPECT_EQ(dismissed[0].outcome, RoundOutcome::kLeftOut);
}

TEST(TrainingTest, GoesOnWhenNobodyIsLeftToWaitFor) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  walk.Train(2);
  walk.Refuse(3);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  walk.Give(OutcomeReported{Store(4), Failed{FailureReason::kMemoryCap, "over 1 GiB"}});
  EXPECT_EQ(walk.phase(), PhaseName::kCollecting);
}

TEST(TrainingTest, AbortsAtOnceWhenTooFewCanStillTrain) {
  Walk walk;
  walk.ToTraining();
  walk.Refuse(1);
  walk.Refuse(2);
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  const Effects effects = walk.Refuse(3);
  const auto& aborted = std::get<Aborted>(walk.round.phase());
  EXPECT_EQ(aborted.reason, AbortReason::kTooFewTrained);
  EXPECT_NE(aborted.explanation.find("3 refused"), std::string::npos) << aborted.explanation;
  EXPECT_EQ(Only<Dismiss>(effects).size(), 4);
}

TEST(TrainingTest, TheDeadlineTakesWhoeverIsReady) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  walk.Train(4);
  walk.Expire(PhaseName::kTraining);
  EXPECT_EQ(walk.phase(), PhaseName::kCollecting);
  EXPECT_TRUE(std::holds_alternative<LeftBehind>(*RosterOf(walk.round.phase())->Find(Store(2))));
}

TEST(TrainingTest, TheDeadlineWithTooFewAborts) {
  const test::ExpectCover cover("round.aborted_too_few_trained");
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  walk.Expire(PhaseName::kTraining);
  EXPECT_EQ(std::get<Aborted>(walk.round.phase()).reason, AbortReason::kTooFewTrained);
}

TEST(TrainingTest, AnUpdateOfTheWrongLengthIsTheStoresMistake) {
  Walk walk;
  walk.ToTraining();
  const OutcomeReported wrong{Store(1), Trained{{.digest = UpdateOf(1).digest, .size = kUpdateSize - 4}}};
  const Status refused = walk.round.Check(wrong);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(refused).find("396"), std::string_view::npos) << MessageOf(refused);
  EXPECT_NE(MessageOf(refused).find("400"), std::string_view::npos);
  EXPECT_TRUE(walk.Give(wrong).empty());
  EXPECT_EQ(walk.phase(), PhaseName::kTraining);
  walk.Train(1);  // Its proper update still counts.
  EXPECT_TRUE(std::holds_alternative<HoldsUpdate>(*RosterOf(walk.round.phase())->Find(Store(1))));
}

TEST(TrainingTest, AnUpdateCantBeExchangedForAnother) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  EXPECT_TRUE(walk.round.Check(OutcomeReported{Store(1), Trained{UpdateOf(1)}}).ok()) << "saying it again is fine";
  EXPECT_EQ(walk.round.Check(OutcomeReported{Store(1), Trained{UpdateOf(99)}}).code(), StatusCode::kFailedPrecondition);
}

TEST(TrainingTest, AStrangerIsNotFound) {
  Walk walk;
  walk.ToTraining();
  EXPECT_EQ(walk.round.Check(OutcomeReported{Store(77), Trained{UpdateOf(77)}}).code(), StatusCode::kNotFound);
}

TEST(TrainingTest, AStoreThatTrainedMayStillFailBeforeCollecting) {
  Walk walk;
  walk.ToTraining();
  walk.Train(1);
  walk.Give(OutcomeReported{Store(1), Failed{FailureReason::kStorage, "its disk broke"}});
  EXPECT_TRUE(std::holds_alternative<Failed>(*RosterOf(walk.round.phase())->Find(Store(1))));
}

}  // namespace
}  // namespace aisle::test
