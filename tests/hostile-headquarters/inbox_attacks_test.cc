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
  void Bend(size_t at, const std::function<void(ReceivedShares&)>& change) { change(collect_.inbox->shares[at]); }

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

TEST_F(InboxAttack, AShareThatWasChanged) {
  Bend(1, [](ReceivedShares& received) { received.sealed[20] = static_cast<char>(received.sealed[20] ^ 1); });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, AShareMeantForAnother) {
  const std::string other = collect_.inbox->shares[2].sealed;
  Bend(1, [&](ReceivedShares& received) { received.sealed = other; });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, AShareThatIsNotTheOneCommittedTo) {
  Bend(1, [](ReceivedShares& received) { received.seed_commitment = Sha256::Of("another"); });
  EXPECT_EQ(Refusal(), RefusalReason::kShareWrong);
}

TEST_F(InboxAttack, AMaskKeysShareThatIsNotTheOneCommittedTo) {
  Bend(1, [](ReceivedShares& received) { received.mask_commitment = Sha256::Of("another"); });
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
