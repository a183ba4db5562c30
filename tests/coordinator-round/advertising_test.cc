#include <gtest/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

TEST(AdvertisingTest, BeginsWhenEnoughHaveTrainedAndAsksEachForItsKeys) {
  SumWalk walk;
  walk.ToAdvertising();
  ASSERT_EQ(walk.phase(), PhaseName::kAdvertising);
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 8U);
  EXPECT_EQ(Only<SetDeadline>(walk.latest).at(0).at, walk.now + absl::Seconds(20));
  EXPECT_TRUE(std::holds_alternative<DutyStep>(walk.round.DutyOf(Store(3))));
  const AdvertiseInstruction task = TaskIn(std::get<Advertising>(walk.round.phase()), walk.round.id());
  EXPECT_EQ(task.attempt, 1U);
  EXPECT_EQ(task.round, walk.round.id());
}

TEST(AdvertisingTest, EndsTheMomentAllHaveShownTheirKeys) {
  SumWalk walk;
  walk.ToAdvertising();
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(walk.Advertise(i).ok());
  EXPECT_EQ(walk.phase(), PhaseName::kAdvertising);
  EXPECT_TRUE(std::holds_alternative<DutyWait>(walk.round.DutyOf(Store(1))));
  ASSERT_TRUE(walk.Advertise(8).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kSharing);
  EXPECT_EQ(std::get<Sharing>(walk.round.phase()).sum.cohort->size(), 8U);
}

TEST(AdvertisingTest, TheDeadlineFormsTheCohortWithoutTheSilent) {
  SumWalk walk;
  walk.silent = {2, 5};
  walk.ToSharing();
  ASSERT_EQ(walk.phase(), PhaseName::kSharing);
  EXPECT_EQ(std::get<Sharing>(walk.round.phase()).sum.cohort->size(), 6U);
  EXPECT_TRUE(std::holds_alternative<LeftBehind>(walk.SeatOf(2)));
  EXPECT_EQ(std::get<DutyDone>(walk.round.DutyOf(Store(5))).outcome, RoundOutcome::kLeftOut);
  EXPECT_EQ(Only<Dismiss>(walk.latest).size(), 2U);
}

TEST(AdvertisingTest, TooFewByTheDeadlineAbortNamingTheSilent) {
  const ExpectCover cover("round.aborted_too_few_advertised");
  SumWalk walk;
  walk.silent = {1, 2, 3, 4, 5};
  walk.ToSharing();
  ASSERT_EQ(walk.phase(), PhaseName::kAborted);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewAdvertised);
  EXPECT_NE(walk.aborted().explanation.find("s001 and 4 others"), std::string::npos) << walk.aborted().explanation;
}

TEST(AdvertisingTest, AStoreThatRefusesIsNotWaitedForAndTooFewLeftEndTheRoundAtOnce) {
  SumWalk walk;
  walk.ToAdvertising();
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(walk.Advertise(i).ok());
  ASSERT_TRUE(walk.Leave(1).ok()) << "also after it has shown its keys";
  ASSERT_TRUE(walk.Leave(1).ok()) << "a repeat changes nothing";
  EXPECT_EQ(walk.phase(), PhaseName::kAdvertising);
  ASSERT_TRUE(walk.Leave(8).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kSharing);
  EXPECT_FALSE(std::get<Sharing>(walk.round.phase()).sum.cohort->PositionOf(Store(1)));

  SumWalk empty;
  empty.ToAdvertising();
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(empty.Leave(i).ok());
  EXPECT_EQ(empty.aborted().reason, AbortReason::kTooFewAdvertised);
}

TEST(AdvertisingTest, KeysCanNotBeExchangedBorrowedOrMisnamed) {
  SumWalk walk;
  walk.ToAdvertising();
  const Advert first = walk.AdvertOf(1);
  ASSERT_TRUE(walk.Step(1, first).ok());
  EXPECT_TRUE(walk.Step(1, first).ok()) << "a repeat changes nothing";
  EXPECT_EQ(walk.Step(1, walk.AdvertOf(1)).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(walk.Step(2, first).code(), StatusCode::kInvalidArgument) << "another store's advert";
  Advert second = walk.AdvertOf(2);
  second.mask_key = first.channel_key;
  EXPECT_EQ(walk.Step(2, second).code(), StatusCode::kInvalidArgument) << "a key in use";
  second.mask_key = second.channel_key;
  EXPECT_EQ(walk.Step(2, second).code(), StatusCode::kInvalidArgument) << "one key for two uses";
  Advert other = walk.AdvertOf(2);
  other.terms = Sha256::Of("another plan");
  EXPECT_EQ(walk.Step(2, other).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(walk.Step(2, walk.AdvertOf(2), 2).code(), StatusCode::kFailedPrecondition) << "an attempt that isn't";
  EXPECT_EQ(walk.Step(9, walk.AdvertOf(9)).code(), StatusCode::kNotFound);
  EXPECT_EQ(std::get<Advertising>(walk.round.phase()).adverts.size(), 1U);
}

TEST(AdvertisingTest, TwoStoresHideNobody) {
  const ExpectCover cover("round.aborted_no_cohort");
  RoundPolicy policy = EightWithSum();
  policy.cohort_min = policy.cohort_target = policy.selection_wanted = 2;
  SumWalk walk(policy);
  walk.ToSharing();
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewAdvertised);
}

TEST(AdvertisingTest, PlansWithoutTheSecureSumPassItOver) {
  Walk walk;
  walk.ToCollecting();
  EXPECT_EQ(walk.phase(), PhaseName::kCollecting);
  SumWalk said;
  said.ToAdvertising();
  EXPECT_EQ(
      walk.round.Check(SumStepTaken{Store(1), {.round = walk.round.id(), .attempt = 1, .message = said.AdvertOf(1)}})
          .code(),
      StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace aisle::test
