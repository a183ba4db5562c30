// A headquarters that lies about who dealt shares, or wants the vector without its masks.
#include <gtest/gtest.h>

#include "tests/hostile-headquarters/scene.h"

namespace aisle::hostile {
namespace {

class InboxAttack : public ::testing::Test {
 protected:
  InboxAttack() {
    scene_.Train();
    collect_ = scene_.Share(scene_.Advertise());
  }
  std::optional<RefusalReason> Refusal() { return scene_.RefusalOf(collect_); }
  // Of three neighbours: the store goes on with five of seven that are right.
  void Bend(const std::function<void(ReceivedShares&)>& change) {
    for (const size_t at : {1U, 2U, 4U}) change(collect_.inbox->shares[at]);
  }

  Scene scene_;
  CollectInstruction collect_;
};

TEST_F(InboxAttack, TheHonestInboxIsTaken) { EXPECT_EQ(Refusal(), std::nullopt); }

TEST_F(InboxAttack, AVectorWithoutMasks) {
  collect_.inbox.reset();
  EXPECT_EQ(Refusal(), RefusalReason::kSecureSumRequired);
}

TEST_F(InboxAttack, AVectorWithoutMasksBeforeAnyCohort) {
  Scene fresh;
  fresh.Train();
  EXPECT_EQ(fresh.RefusalOf(CollectInstruction{.round = fresh.round(), .deadline = absl::Now() + absl::Hours(1)}),
            RefusalReason::kSecureSumRequired);
}

TEST_F(InboxAttack, NobodyElseDealt) {
  collect_.inbox->shares.clear();
  EXPECT_NE(Refusal(), std::nullopt);
}

TEST_F(InboxAttack, TooFewOthersDealt) {
  collect_.inbox->shares.resize(1);
  EXPECT_NE(Refusal(), std::nullopt);
}

TEST_F(InboxAttack, SharesThatWereChanged) {
  Bend([](ReceivedShares& received) { received.sealed[20] = static_cast<char>(received.sealed[20] ^ 1); });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, OneShareThatWasChangedIsNeverGivenToAnybody) {
  ReceivedShares& changed = collect_.inbox->shares[1];
  changed.sealed[20] = static_cast<char>(changed.sealed[20] ^ 1);
  const uint32_t dealer = changed.from;
  const RevealedShares revealed = scene_.Unmask(scene_.Confirm(scene_.Collect(collect_)));
  EXPECT_EQ(revealed.shares.size(), 6U);
  EXPECT_EQ(std::ranges::count(revealed.shares, dealer, &RevealedShare::of), 0);
}

TEST_F(InboxAttack, SharesMeantForAnother) {
  const std::string other = collect_.inbox->shares[3].sealed;
  Bend([&](ReceivedShares& received) { received.sealed = other; });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, SharesThatAreNotTheOnesCommittedTo) {
  Bend([](ReceivedShares& received) { received.seed_commitment = Sha256::Of("another"); });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, MaskKeysSharesThatAreNotTheOnesCommittedTo) {
  Bend([](ReceivedShares& received) { received.mask_commitment = Sha256::Of("another"); });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, ASharesFromAStoreOutsideTheCohort) {
  collect_.inbox->shares.back().from = 4000;
  EXPECT_NE(Refusal(), std::nullopt);
}

TEST_F(InboxAttack, TheInboxOfAnEarlierAttempt) {
  scene_.Share(scene_.Advertise(2));
  EXPECT_NE(Refusal(), std::nullopt);
}

TEST_F(InboxAttack, ASecondInboxForOneCohort) {
  ASSERT_EQ(Refusal(), std::nullopt);
  collect_.inbox->shares.pop_back();  // Fewer masks: the difference of the two would show one.
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(InboxAttack, ASecondInboxAfterAKill) {
  ASSERT_EQ(Refusal(), std::nullopt);
  scene_.store().KillAndStart();
  collect_.inbox->shares.pop_back();
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(InboxAttack, AnotherCohortForAVectorThatWasMasked) {
  ASSERT_EQ(Refusal(), std::nullopt);
  EXPECT_EQ(scene_.RefusalOf(
                AdvertiseInstruction{.round = scene_.round(), .attempt = 2, .deadline = absl::Now() + absl::Hours(1)}),
            RefusalReason::kVectorSpent);
}

TEST_F(InboxAttack, AnotherCohortForAVectorThatWasMaskedAfterAKill) {
  ASSERT_EQ(Refusal(), std::nullopt);
  scene_.store().KillAndStart();
  EXPECT_EQ(scene_.RefusalOf(
                AdvertiseInstruction{.round = scene_.round(), .attempt = 2, .deadline = absl::Now() + absl::Hours(1)}),
            RefusalReason::kVectorSpent);
}

TEST_F(InboxAttack, TheSameInboxAgainGetsTheSameBytes) {
  (void)scene_.Collect(collect_);
  const std::string first = scene_.masked();
  (void)scene_.Collect(collect_);
  EXPECT_EQ(scene_.masked(), first);
  EXPECT_NE(first, scene_.SecretVector());
}

}  // namespace
}  // namespace aisle::hostile
