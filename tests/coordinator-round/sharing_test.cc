#include <gtest/gtest.h>

#include "privacy/secagg/layout.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

TEST(SharingTest, EndsTheMomentAllHaveDealtAndHandsEachItsInbox) {
  SumWalk walk;
  walk.ToSharing();
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 8U);
  for (int i = 1; i <= 8; ++i) ASSERT_TRUE(walk.Deal(i).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kCollecting);
  EXPECT_EQ(Only<CallForUpdate>(walk.latest).size(), 8U);
  EXPECT_TRUE(std::holds_alternative<DutyUpload>(walk.round.DutyOf(Store(4))));
  const CollectInstruction task = TaskIn(std::get<Collecting>(walk.round.phase()), walk.round.id(), Store(4));
  ASSERT_TRUE(task.inbox.has_value());
  EXPECT_EQ(task.inbox->shares.size(), 7U);
}

TEST(SharingTest, TheDeadlineGoesOnWithoutTheSilentWhoseMasksNobodyWears) {
  SumWalk walk;
  walk.ToSharing();
  walk.silent = {3, 6};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  ASSERT_EQ(walk.phase(), PhaseName::kCollecting);
  EXPECT_TRUE(std::holds_alternative<LeftBehind>(walk.SeatOf(3)));
  const CollectInstruction task = TaskIn(std::get<Collecting>(walk.round.phase()), walk.round.id(), Store(1));
  EXPECT_EQ(task.inbox->shares.size(), 5U);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  const auto& statuses = std::get<Confirming>(walk.round.phase()).statuses;
  EXPECT_EQ(statuses[2], MemberStatus::kAbsent);
  EXPECT_EQ(statuses[5], MemberStatus::kAbsent);
  EXPECT_EQ(CountSurvivors(statuses), 6U);
}

TEST(SharingTest, TooManySilentFormACohortAnewWithFreshKeysAndTheRoundStillCommits) {
  const ExpectCover cover("round.cohort_formed_anew");
  SumWalk walk;
  walk.ToSharing();
  const Digest first_root = std::get<Sharing>(walk.round.phase()).sum.cohort->root();
  walk.silent = {2, 3, 4};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  ASSERT_EQ(walk.phase(), PhaseName::kAdvertising);
  EXPECT_EQ(std::get<Advertising>(walk.round.phase()).attempt, 2U);
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 5U);
  EXPECT_TRUE(std::holds_alternative<LeftBehind>(walk.SeatOf(2)));
  walk.All(PhaseName::kAdvertising, &SumWalk::Advertise);
  ASSERT_EQ(walk.phase(), PhaseName::kSharing);
  EXPECT_NE(std::get<Sharing>(walk.round.phase()).sum.cohort->root(), first_root);
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  walk.All(PhaseName::kConfirming, &SumWalk::Confirm);
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  ASSERT_EQ(walk.phase(), PhaseName::kCommitting);
  const ApplySum apply = Only<ApplySum>(walk.latest).at(0);
  EXPECT_EQ(apply.survivors.size(), 5U);
  EXPECT_EQ(walk.UnmaskedSum(apply), walk.PlainSum(apply.survivors));
}

TEST(SharingTest, WhatWasSaidInAnAttemptThatIsOverIsNotTakenInTheNext) {
  SumWalk walk;
  walk.ToSharing();
  const DealtShares late = walk.DealtOf(2);
  walk.silent = {2, 3, 4};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  EXPECT_EQ(walk.Step(2, late, 1).code(), StatusCode::kFailedPrecondition) << "left behind";
  walk.All(PhaseName::kAdvertising, &SumWalk::Advertise);
  EXPECT_EQ(walk.Step(1, late, 1).code(), StatusCode::kFailedPrecondition) << "another attempt";
}

TEST(SharingTest, TheLastAttemptAbortsNamingWhoWasSilent) {
  const ExpectCover cover("round.aborted_too_few_shared");
  RoundPolicy policy = EightWithSum();
  policy.sum->attempts_max = 1;
  SumWalk walk(policy);
  walk.ToSharing();
  walk.silent = {2, 3, 4};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  ASSERT_EQ(walk.phase(), PhaseName::kAborted);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewShared);
  EXPECT_NE(walk.aborted().explanation.find("silent: s002 and 2 others"), std::string::npos)
      << walk.aborted().explanation;
}

TEST(SharingTest, BelowTheSmallestCohortThereIsNoOtherAttempt) {
  SumWalk walk;
  walk.ToSharing();
  walk.silent = {1, 2, 3, 4, 5};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewShared);
}

// Seven of eight dealt, enough for the plan and for every secret. But of eight two may collude, of seven only one: the
// stores would confirm no sum of these seven, and would mask their vectors for nothing.
TEST(SharingTest, ACohortThatTheStoresWouldNotConfirmIsFormedAnewBeforeAnythingIsMasked) {
  RoundPolicy policy = EightWithSum();
  policy.cohort_min = 7;
  policy.sum->corrupt_permille = 142;
  SumWalk walk(policy);
  walk.ToSharing();
  const DealtCohort& sum = std::get<Sharing>(walk.round.phase()).sum;
  ASSERT_EQ(secagg::SurvivorsMin(sum.cohort->terms(), 8), 8U);
  ASSERT_LT(sum.cohort->parameters().threshold, 6U) << "seven stores have six neighbours each that dealt";
  walk.silent = {5};
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  ASSERT_EQ(walk.phase(), PhaseName::kAdvertising);
  EXPECT_EQ(std::get<Advertising>(walk.round.phase()).attempt, 2U);
  walk.All(PhaseName::kAdvertising, &SumWalk::Advertise).All(PhaseName::kSharing, &SumWalk::Deal);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload).All(PhaseName::kConfirming, &SumWalk::Confirm);
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  EXPECT_EQ(walk.phase(), PhaseName::kCommitting) << "seven are confirmed by themselves";
}

TEST(SharingTest, AStoreThatRefusesAfterDealingIsAsIfItHadNeverDealt) {
  SumWalk walk;
  walk.ToSharing();
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(walk.Deal(i).ok());
  ASSERT_TRUE(walk.Leave(1).ok());
  EXPECT_EQ(walk.phase(), PhaseName::kSharing);
  ASSERT_TRUE(walk.Deal(8).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kCollecting);
  EXPECT_EQ(std::get<Collecting>(walk.round.phase()).sum->dealt.size(), 7U);
  EXPECT_TRUE(std::holds_alternative<Refused>(walk.SeatOf(1)));
}

TEST(SharingTest, OnlyWellFormedSharesAreTakenAndNeverTwo) {
  SumWalk walk;
  walk.ToSharing();
  const DealtShares good = walk.DealtOf(1);
  DealtShares missing = good;
  missing.shares.pop_back();
  EXPECT_EQ(walk.Step(1, missing).code(), StatusCode::kInvalidArgument);
  DealtShares to_itself = good;
  to_itself.shares[0].to = 0;
  EXPECT_EQ(walk.Step(1, to_itself).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(walk.Step(1, good).ok());
  EXPECT_TRUE(walk.Step(1, good).ok()) << "a repeat changes nothing";
  DealtShares other = good;
  other.signature += "x";
  EXPECT_EQ(walk.Step(1, other).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(walk.Step(2, Confirmation{}).code(), StatusCode::kFailedPrecondition) << "not yet";
  EXPECT_EQ(walk.Step(2, walk.member(2).advert()).code(), StatusCode::kOk) << "said before: the answer was lost";
  EXPECT_EQ(std::get<Sharing>(walk.round.phase()).sum.dealt.size(), 1U);
}

}  // namespace
}  // namespace aisle::test
