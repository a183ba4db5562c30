// The masked sum from the first masked vector to the last signature: collecting and confirming.
#include <gtest/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

TEST(MaskedCollectingTest, AMaskedVectorIsNamedByWhatComesAndCanNotBeExchanged) {
  SumWalk walk;
  walk.ToCollecting();
  ASSERT_TRUE(walk.Upload(1).ok());
  const FoldUpdate fold = Only<FoldUpdate>(walk.latest).at(0);
  EXPECT_NE(fold.update.digest, Digest());
  EXPECT_EQ(fold.update.size, kUpdateSize);
  EXPECT_TRUE(walk.Say(UpdateCollected{Store(1), fold.update.digest}).ok()) << "a repeat changes nothing";
  EXPECT_FALSE(walk.Say(UpdateCollected{Store(1), Sha256::Of("another")}).ok());
}

TEST(MaskedCollectingTest, TheDeadlineFixesWhoSurvivedAndAsksThemToSignIt) {
  SumWalk walk;
  walk.ToCollecting();
  walk.silent = {4, 8};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  ASSERT_EQ(walk.phase(), PhaseName::kConfirming);
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 6U);
  const auto& confirming = std::get<Confirming>(walk.round.phase());
  EXPECT_EQ(confirming.statuses[3], MemberStatus::kDropped);
  EXPECT_EQ(confirming.statuses[0], MemberStatus::kSurvived);
  EXPECT_EQ(TaskIn(confirming, walk.round.id()).statuses, confirming.statuses);
  EXPECT_EQ(std::get<DutyDone>(walk.round.DutyOf(Store(4))).outcome, RoundOutcome::kLeftOut);
}

TEST(MaskedCollectingTest, ADealerThatRefusesNowIsADropOutAndIsNotWaitedFor) {
  SumWalk walk;
  walk.ToCollecting();
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(walk.Upload(i).ok());
  ASSERT_TRUE(walk.Leave(8).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kConfirming);
  EXPECT_EQ(std::get<Confirming>(walk.round.phase()).statuses[7], MemberStatus::kDropped);
  EXPECT_TRUE(std::holds_alternative<Refused>(walk.SeatOf(8)));
}

TEST(MaskedCollectingTest, MoreDropOutsThanSecretsCanBearAbort) {
  const ExpectCover cover("round.aborted_too_few_neighbours");
  SumWalk walk;
  walk.ToCollecting();
  walk.silent = {1, 4, 8};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewUpdates);
  EXPECT_TRUE(Only<ApplySum>(walk.latest).empty());
}

TEST(MaskedCollectingTest, BelowTheSmallestCohortNothingIsUnmasked) {
  SumWalk walk;
  walk.ToCollecting();
  walk.silent = {1, 2, 3, 4, 5};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewUpdates);
  EXPECT_NE(walk.aborted().explanation.find("at least 4"), std::string::npos);
}

TEST(MaskedCollectingTest, WhatTheStoresWouldRefuseToUnmaskAbortsHere) {
  const ExpectCover cover("round.aborted_too_few_survivors");
  RoundPolicy policy = EightWithSum();
  policy.sum->corrupt_permille = 300;  // Two honest stores of the smallest four; and three of eight may collude.
  SumWalk walk(policy);
  walk.ToCollecting();
  walk.silent = {1, 2, 3, 4};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewUpdates);
  EXPECT_NE(walk.aborted().explanation.find("fewer than 5"), std::string::npos) << walk.aborted().explanation;
}

TEST(ConfirmingTest, EndsTheMomentAllSurvivorsHaveSigned) {
  SumWalk walk;
  walk.ToConfirming();
  for (int i = 1; i <= 8; ++i) {
    ASSERT_EQ(walk.phase(), PhaseName::kConfirming);
    ASSERT_TRUE(walk.Confirm(i).ok());
  }
  ASSERT_EQ(walk.phase(), PhaseName::kUnmasking);
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 8U);
}

TEST(ConfirmingTest, TheDeadlineGoesOnWithEnoughSignaturesAndAsksOnlyTheSigners) {
  SumWalk walk;
  walk.ToConfirming();
  walk.silent = {1, 2};
  walk.All(PhaseName::kConfirming, &SumWalk::Confirm);
  ASSERT_EQ(walk.phase(), PhaseName::kUnmasking);
  EXPECT_EQ(Only<CallForStep>(walk.latest).size(), 6U);
  EXPECT_TRUE(std::holds_alternative<DutyWait>(walk.round.DutyOf(Store(1)))) << "its vector is in: it may yet be told";
  const UnmaskInstruction task = TaskIn(std::get<Unmasking>(walk.round.phase()), walk.round.id(), Store(3));
  EXPECT_EQ(task.confirmations.size(), 5U);
}

TEST(ConfirmingTest, TooFewSignaturesLeaveTheSumMasked) {
  const ExpectCover cover("round.aborted_too_few_confirmed");
  SumWalk walk;
  walk.ToConfirming();
  walk.silent = {1, 2, 3};
  walk.All(PhaseName::kConfirming, &SumWalk::Confirm);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewConfirmed);
  EXPECT_NE(walk.aborted().explanation.find("s001 and 2 others"), std::string::npos) << walk.aborted().explanation;
}

TEST(ConfirmingTest, ASurvivorThatRefusesStaysInTheSumAndIsNotWaitedFor) {
  SumWalk walk;
  walk.ToConfirming();
  for (int i = 2; i <= 8; ++i) ASSERT_TRUE(walk.Confirm(i).ok());
  ASSERT_TRUE(walk.Leave(1).ok());
  ASSERT_EQ(walk.phase(), PhaseName::kUnmasking);
  EXPECT_NE(std::get<GaveUpdate>(walk.SeatOf(1)).left.find("roster_forged"), std::string::npos);
  walk.silent = {1};
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  const ApplySum apply = Only<ApplySum>(walk.latest).at(0);
  EXPECT_EQ(apply.survivors.size(), 8U);
  EXPECT_EQ(walk.UnmaskedSum(apply), walk.PlainSum(apply.survivors));
}

TEST(ConfirmingTest, NobodySignsOtherSurvivorsOrForADropOut) {
  SumWalk walk;
  walk.ToCollecting();
  walk.silent = {8};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  Confirmation good = walk.ConfirmationOf(1);
  Confirmation other = good;
  other.survivors = Sha256::Of("others");
  EXPECT_EQ(walk.Step(1, other).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(walk.Step(8, good).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(walk.Step(1, good).ok());
  EXPECT_TRUE(walk.Step(1, good).ok()) << "a repeat changes nothing";
  EXPECT_EQ(std::get<Confirming>(walk.round.phase()).confirmations.size(), 1U);
}

}  // namespace
}  // namespace aisle::test
