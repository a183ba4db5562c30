// A headquarters that lies about who survived: it may learn one kind of share of each store, never both, and nothing
// where too few stores are in the sum.
#include <gtest/gtest.h>

#include <cstring>

#include "privacy/secagg/unmask.h"
#include "tests/hostile-headquarters/scene.h"

namespace aisle::hostile {
namespace {

class SurvivorsAttack : public ::testing::Test {
 protected:
  SurvivorsAttack() {
    scene_.Train();
    confirm_ = scene_.Collect(scene_.Share(scene_.Advertise()));
  }
  std::optional<RefusalReason> Refusal() { return scene_.RefusalOf(confirm_); }
  MemberStatus& StatusOf(size_t other) {
    return confirm_.statuses[scene_.cohort().PositionOf(scene_.others()[other]).value()];
  }
  MemberStatus& OwnStatus() { return confirm_.statuses[scene_.position()]; }

  Scene scene_;
  ConfirmInstruction confirm_;
};

TEST_F(SurvivorsAttack, TheHonestSurvivorsAreSigned) { EXPECT_EQ(Refusal(), std::nullopt); }

TEST_F(SurvivorsAttack, TheStoreItselfCalledADropOut) {
  OwnStatus() = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsForged);
}

TEST_F(SurvivorsAttack, TheStoreItselfCalledAbsent) {
  OwnStatus() = MemberStatus::kAbsent;
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsForged);
}

TEST_F(SurvivorsAttack, ANeighbourThatDealtCalledAbsent) {
  StatusOf(1) = MemberStatus::kAbsent;
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsForged);
}

TEST_F(SurvivorsAttack, AListThatIsTooShort) {
  confirm_.statuses.pop_back();
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsForged);
}

TEST_F(SurvivorsAttack, AListThatIsTooLong) {
  confirm_.statuses.push_back(MemberStatus::kSurvived);
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsForged);
}

TEST_F(SurvivorsAttack, TheStoreAsTheOnlySurvivor) {
  for (size_t other = 0; other < 7; ++other) StatusOf(other) = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsTooFew);
}

TEST_F(SurvivorsAttack, OneSurvivorLessThanThePlanAllows) {
  for (size_t other = 0; other < 8 - kCohortMin + 1; ++other) StatusOf(other) = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSurvivorsTooFew);
}

TEST_F(SurvivorsAttack, ASecondSetOfSurvivors) {
  ASSERT_EQ(Refusal(), std::nullopt);
  StatusOf(0) = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSecondSurvivors);
}

TEST_F(SurvivorsAttack, ASecondSetOfSurvivorsAfterAKill) {
  ASSERT_EQ(Refusal(), std::nullopt);
  scene_.store().KillAndStart();
  StatusOf(0) = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSecondSurvivors);
}

TEST_F(SurvivorsAttack, ASecondSetOfSurvivorsAfterAKillBeforeTheFirstAnswerArrived) {
  scene_.wire().Deafen(true);
  ASSERT_EQ(Refusal(), std::nullopt);  // The store has sent it; headquarters hung up.
  scene_.store().Kill();
  scene_.wire().Deafen(false);
  scene_.store().Start();
  StatusOf(0) = MemberStatus::kDropped;
  EXPECT_EQ(Refusal(), RefusalReason::kSecondSurvivors);
}

TEST_F(SurvivorsAttack, SurvivorsOfAnotherAttempt) {
  confirm_.attempt = 2;
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

class UnmaskAttack : public SurvivorsAttack {
 protected:
  UnmaskAttack() {
    StatusOf(0) = MemberStatus::kDropped;
    unmask_ = scene_.Confirm(confirm_);
  }
  std::optional<RefusalReason> Refusal() { return scene_.RefusalOf(unmask_); }
  UnmaskInstruction unmask_;
};

TEST_F(UnmaskAttack, TheHonestRequestIsAnsweredWithOneKindOfShareEach) {
  const RevealedShares revealed = scene_.Unmask(unmask_);
  ASSERT_EQ(revealed.shares.size(), 7U);
  for (const RevealedShare& share : revealed.shares) {
    const bool dropped = confirm_.statuses[share.of] == MemberStatus::kDropped;
    EXPECT_EQ(share.kind, dropped ? ShareKind::kMaskKey : ShareKind::kSeed);
  }
}

TEST_F(UnmaskAttack, TheHonestSumHasTheStoresVectorInItBitForBit) {
  const std::vector<uint32_t> sum = scene_.Sum(confirm_, scene_.Unmask(unmask_));
  const std::string vector = scene_.SecretVector();
  ASSERT_EQ(sum.size() * sizeof(uint32_t), vector.size());
  EXPECT_EQ(std::memcmp(sum.data(), vector.data(), vector.size()), 0);
  EXPECT_NE(scene_.masked(), vector);
}

TEST_F(UnmaskAttack, WithoutAnyConfirmation) {
  unmask_.confirmations.clear();
  EXPECT_EQ(Refusal(), RefusalReason::kUnconfirmed);
}

TEST_F(UnmaskAttack, WithOneConfirmationLessThanTheThreshold) {
  unmask_.confirmations.resize(scene_.cohort().parameters().threshold - 1);
  EXPECT_EQ(Refusal(), RefusalReason::kUnconfirmed);
}

TEST_F(UnmaskAttack, WithSignaturesOfOneStoreInEverybodysName) {
  for (NeighbourConfirmation& confirmation : unmask_.confirmations) {
    confirmation.signature = unmask_.confirmations[0].signature;
  }
  EXPECT_EQ(Refusal(), RefusalReason::kUnconfirmed);
}

TEST_F(UnmaskAttack, WithSignaturesOverOtherSurvivors) {
  std::vector<MemberStatus> others = confirm_.statuses;
  others[scene_.cohort().PositionOf(scene_.others()[1]).value()] = MemberStatus::kDropped;
  for (NeighbourConfirmation& confirmation : unmask_.confirmations) {
    confirmation.signature = scene_.SignatureOf(scene_.cohort().StoreAt(confirmation.from), others);
  }
  EXPECT_EQ(Refusal(), RefusalReason::kUnconfirmed);
}

TEST_F(UnmaskAttack, WithEmptySignatures) {
  for (NeighbourConfirmation& confirmation : unmask_.confirmations) confirmation.signature.clear();
  EXPECT_EQ(Refusal(), RefusalReason::kUnconfirmed);
}

TEST_F(UnmaskAttack, ForSurvivorsThatTheStoreDidNotSign) {
  std::vector<MemberStatus> others = confirm_.statuses;
  others[scene_.cohort().PositionOf(scene_.others()[0]).value()] = MemberStatus::kSurvived;
  unmask_.survivors = secagg::SurvivorsRoot(others);
  for (NeighbourConfirmation& confirmation : unmask_.confirmations) {
    confirmation.signature = scene_.SignatureOf(scene_.cohort().StoreAt(confirmation.from), others);
  }
  EXPECT_EQ(Refusal(), RefusalReason::kSecondSurvivors);
}

TEST_F(UnmaskAttack, TheOtherKindAfterOneWasGiven) {
  (void)scene_.Unmask(unmask_);
  StatusOf(0) = MemberStatus::kSurvived;
  EXPECT_EQ(scene_.RefusalOf(confirm_), RefusalReason::kOtherShareKind);
}

TEST_F(UnmaskAttack, TheOtherKindAfterOneWasGivenAndAKill) {
  (void)scene_.Unmask(unmask_);
  scene_.store().KillAndStart();
  StatusOf(0) = MemberStatus::kSurvived;
  EXPECT_EQ(scene_.RefusalOf(confirm_), RefusalReason::kOtherShareKind);
}

TEST_F(UnmaskAttack, TheSameRequestAgainGetsTheSameShares) {
  const RevealedShares first = scene_.Unmask(unmask_);
  scene_.store().KillAndStart();
  EXPECT_EQ(scene_.Unmask(unmask_), first);
}

TEST_F(UnmaskAttack, AnotherCohortAfterSharesWereGiven) {
  (void)scene_.Unmask(unmask_);
  EXPECT_EQ(scene_.RefusalOf(
                AdvertiseInstruction{.round = scene_.round(), .attempt = 2, .deadline = absl::Now() + absl::Hours(1)}),
            RefusalReason::kVectorSpent);
}

TEST_F(UnmaskAttack, OfAnotherAttempt) {
  unmask_.attempt = 2;
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(SurvivorsAttack, SharesBeforeSurvivorsWereSigned) {
  UnmaskInstruction unmask{.round = scene_.round(),
                           .attempt = 1,
                           .deadline = absl::Now() + absl::Hours(1),
                           .survivors = secagg::SurvivorsRoot(confirm_.statuses)};
  for (const uint32_t neighbour : scene_.cohort().NeighboursOf(scene_.position())) {
    unmask.confirmations.push_back(
        {.from = neighbour, .signature = scene_.SignatureOf(scene_.cohort().StoreAt(neighbour), confirm_.statuses)});
  }
  EXPECT_EQ(scene_.RefusalOf(unmask), RefusalReason::kUnconfirmed);
}

TEST(StepsAttack, SharesBeforeAnythingElse) {
  Scene scene;
  scene.Train();
  EXPECT_EQ(
      scene.RefusalOf(UnmaskInstruction{
          .round = scene.round(), .attempt = 1, .deadline = absl::Now() + absl::Hours(1), .survivors = Sha256::Of("")}),
      RefusalReason::kCohortReplayed);
}

TEST(StepsAttack, APlanWithoutTheSecureSum) {
  Scene scene(Setting{.privacy = "secure_sum = false"});
  scene.wire().Tell(scene.task());
  TrainInstruction task = scene.task();
  task.round.number = 1;
  EXPECT_EQ(scene.RefusalOf(task), RefusalReason::kSecureSumRequired);
}

}  // namespace
}  // namespace aisle::hostile
