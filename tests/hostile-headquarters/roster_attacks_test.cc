// A headquarters that lies about who is in the cohort: the store deals no share.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/hostile-headquarters/scene.h"

namespace aisle::hostile {
namespace {

class RosterAttack : public ::testing::Test {
 protected:
  explicit RosterAttack(const Setting& setting = {}) : scene_(setting) {
    scene_.Train();
    share_ = scene_.Advertise();
  }
  std::optional<RefusalReason> Refusal() { return scene_.RefusalOf(share_); }
  // Rebuilds the tree with another advert in place of a made-up store's.
  void Swap(size_t other, const std::function<void(Advert&)>& change) {
    std::vector<Advert> adverts = scene_.adverts();
    const auto found = std::ranges::find(adverts, scene_.others()[other], &Advert::store);
    change(*found);
    share_ = scene_.ShareOf(adverts);
  }
  Scene scene_;
  ShareInstruction share_;
};

TEST_F(RosterAttack, TheHonestRosterIsTaken) { EXPECT_EQ(Refusal(), std::nullopt); }

TEST_F(RosterAttack, ARosterThatNobodySigned) {
  share_.roster.signature = std::string(70, '\1');
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
}

TEST_F(RosterAttack, ARosterSignedByAStore) {
  share_.roster = Scene::Signed(share_.roster, scene_.identity(scene_.others()[0]));
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
}

TEST_F(RosterAttack, ARosterSignedByAForeignCoordinator) {
  const FakeFleet foreign;
  share_.roster = Scene::Signed(share_.roster, foreign.identity());
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
}

TEST_F(RosterAttack, ASizeThatWasRaisedAfterSigning) {
  ++share_.roster.size;
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
}

TEST_F(RosterAttack, ASizeThatTheTreeDoesNotHave) {
  share_.roster.size = 100;
  share_.roster = scene_.Signed(share_.roster);
  const auto refusal = Refusal();
  EXPECT_TRUE(refusal == RefusalReason::kRosterForged || refusal == RefusalReason::kNotInRoster ||
              refusal == RefusalReason::kNeighboursForged);
}

TEST_F(RosterAttack, ARootThatHeadquartersMadeUp) {
  share_.roster.root = Sha256::Of("another cohort");
  share_.roster = scene_.Signed(share_.roster);
  const auto refusal = Refusal();
  EXPECT_TRUE(refusal == RefusalReason::kRosterForged || refusal == RefusalReason::kNotInRoster);
}

TEST_F(RosterAttack, AnotherStoreInItsPlace) {
  share_.own = share_.neighbours[0];
  EXPECT_EQ(Refusal(), RefusalReason::kNotInRoster);
}

TEST_F(RosterAttack, ItsOwnChannelKeySwappedForOneThatHeadquartersKnows) {
  std::vector<Advert> adverts = scene_.adverts();
  const auto own = std::ranges::find(adverts, scene_.self(), &Advert::store);
  own->channel_key = adverts[0].nonce;
  share_ = scene_.ShareOf(adverts);
  EXPECT_EQ(Refusal(), RefusalReason::kNotInRoster);
}

TEST_F(RosterAttack, ItsOwnNonceChosenByHeadquarters) {
  std::vector<Advert> adverts = scene_.adverts();
  std::ranges::find(adverts, scene_.self(), &Advert::store)->nonce = std::string(32, '\0');
  share_ = scene_.ShareOf(adverts);
  EXPECT_EQ(Refusal(), RefusalReason::kNotInRoster);
}

TEST_F(RosterAttack, ANeighboursMaskKeySwappedForOneThatHeadquartersKnows) {
  Swap(2, [](Advert& advert) { advert.mask_key[0] = static_cast<char>(advert.mask_key[0] ^ 1); });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ANeighboursChannelKeySwappedForOneThatHeadquartersKnows) {
  Swap(2, [](Advert& advert) { advert.channel_key[0] = static_cast<char>(advert.channel_key[0] ^ 1); });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ANeighbourWithoutASignature) {
  Swap(2, [](Advert& advert) { advert.signature.clear(); });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ANeighbourOfAnotherChain) {
  FakeFleet foreign;
  const TlsIdentity stranger = foreign.StoreIdentity(scene_.others()[2].str());
  Swap(2, [&](Advert& advert) { advert.certificate_pem = stranger.certificate.pem(); });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ANeighbourWithAnotherStoresCertificate) {
  const std::string borrowed = scene_.identity(scene_.others()[3]).certificate.pem();
  Swap(2, [&](Advert& advert) { advert.certificate_pem = borrowed; });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ANeighbourThatIsTheCoordinatorItself) {
  const TlsIdentity& coordinator = scene_.wire().fleet().identity();
  Swap(2, [&](Advert& advert) { advert.certificate_pem = coordinator.certificate.pem(); });
  EXPECT_EQ(Refusal(), RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, TheSameStoreTwice) {
  std::vector<Advert> adverts = scene_.adverts();
  adverts[1] = adverts[0];
  share_ = scene_.ShareOf(adverts);
  EXPECT_EQ(Refusal(), RefusalReason::kDuplicateKeys);
}

TEST_F(RosterAttack, TwoNeighboursWithOneKey) {
  const std::vector<Advert> adverts = scene_.adverts();
  Swap(2, [&](Advert& advert) { advert.mask_key = scene_.adverts()[0].mask_key; });
  const auto refusal = Refusal();  // Its signature can't hold either; whichever is seen first.
  EXPECT_TRUE(refusal == RefusalReason::kDuplicateKeys || refusal == RefusalReason::kNeighbourUnproven);
}

TEST_F(RosterAttack, ACohortOfTheStoreAndOneOther) {
  std::vector<Advert> adverts = scene_.adverts();
  std::erase_if(adverts, [&](const Advert& advert) {
    return advert.store != scene_.self() && advert.store != scene_.others()[0];
  });
  share_ = scene_.ShareOf(adverts);
  EXPECT_EQ(Refusal(), RefusalReason::kCohortTooSmall);
}

TEST_F(RosterAttack, ACohortOfTheStoreAlone) {
  std::vector<Advert> adverts = scene_.adverts();
  std::erase_if(adverts, [&](const Advert& advert) { return advert.store != scene_.self(); });
  share_ = scene_.ShareOf(adverts);
  EXPECT_EQ(Refusal(), RefusalReason::kCohortTooSmall);
}

TEST_F(RosterAttack, OneNeighbourLeftOut) {
  share_.neighbours.pop_back();
  EXPECT_EQ(Refusal(), RefusalReason::kNeighboursForged);
}

TEST_F(RosterAttack, AProofOfAnotherPlace) {
  std::swap(share_.neighbours[0].proof, share_.neighbours[1].proof);
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
}

TEST_F(RosterAttack, ANeighbourThatTrainedAnotherPlan) {
  CohortTerms other = scene_.terms();
  other.plan = Sha256::Of("another plan");
  Swap(2, [&](Advert& advert) { advert = scene_.AdvertOf(advert.store, other); });
  EXPECT_EQ(Refusal(), RefusalReason::kTermsDiffer);
}

TEST_F(RosterAttack, ANeighbourWithAVectorOfAnotherLength) {
  CohortTerms other = scene_.terms();
  ++other.length;
  Swap(2, [&](Advert& advert) { advert = scene_.AdvertOf(advert.store, other); });
  EXPECT_EQ(Refusal(), RefusalReason::kTermsDiffer);
}

TEST_F(RosterAttack, ANeighbourWithKeysOfAnEarlierAttempt) {
  CohortTerms other = scene_.terms();
  other.attempt = 2;
  Swap(2, [&](Advert& advert) { advert = scene_.AdvertOf(advert.store, other); });
  EXPECT_EQ(Refusal(), RefusalReason::kTermsDiffer);
}

TEST_F(RosterAttack, ARosterForASmallerSmallestCohort) {
  CohortTerms other = scene_.terms();
  other.cohort_min = 2;
  share_.roster.terms = secagg::DigestOf(other);
  share_.roster = scene_.Signed(share_.roster);
  EXPECT_EQ(Refusal(), RefusalReason::kTermsDiffer);
}

TEST_F(RosterAttack, ASecondRosterForOneCohort) {
  ASSERT_EQ(Refusal(), std::nullopt);
  Swap(2, [&](Advert& advert) { advert = scene_.AdvertOf(advert.store, scene_.terms()); });
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(RosterAttack, ASecondRosterAfterAKill) {
  ASSERT_EQ(Refusal(), std::nullopt);
  scene_.store().KillAndStart();
  Swap(2, [&](Advert& advert) { advert = scene_.AdvertOf(advert.store, scene_.terms()); });
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(RosterAttack, AnEarlierAttemptOnceMore) {
  (void)scene_.Advertise(2);
  share_.attempt = 1;  // The roster of the first attempt, which the store has left.
  EXPECT_EQ(Refusal(), RefusalReason::kCohortReplayed);
}

TEST_F(RosterAttack, TheRosterOfAnEarlierRound) {
  const ShareInstruction earlier = share_;
  ASSERT_EQ(Refusal(), std::nullopt);
  scene_.wire().Tell(RoundClosed{.round = scene_.round(), .outcome = RoundOutcome::kAborted, .reason = "a trick"});
  ASSERT_TRUE(scene_.wire().WasTold());
  scene_.Train();
  (void)scene_.Advertise();
  share_ = earlier;
  share_.round = scene_.round();
  EXPECT_NE(Refusal(), std::nullopt);
}

// Where the graph isn't complete, headquarters would like to choose a store's neighbours.
class GraphAttack : public RosterAttack {
 protected:
  GraphAttack() : RosterAttack(Setting{.others = 39}) {}
};

TEST_F(GraphAttack, NeighboursThatHeadquartersChose) {
  ASSERT_LT(share_.neighbours.size(), 39U);
  const std::vector<uint32_t> right = scene_.cohort().NeighboursOf(scene_.position());
  for (uint32_t position = 0; position < 40; ++position) {
    if (position == scene_.position() || std::ranges::find(right, position) != right.end()) continue;
    share_.neighbours[0] = scene_.cohort().EntryOf(position);
    break;
  }
  std::ranges::sort(share_.neighbours, {}, &RosterEntry::position);
  EXPECT_EQ(Refusal(), RefusalReason::kNeighboursForged);
}

TEST_F(GraphAttack, EverybodyAsNeighbour) {
  share_.neighbours.clear();
  for (uint32_t position = 0; position < 40; ++position) {
    if (position != scene_.position()) share_.neighbours.push_back(scene_.cohort().EntryOf(position));
  }
  EXPECT_EQ(Refusal(), RefusalReason::kNeighboursForged);
}

TEST_F(GraphAttack, TheHonestGraphIsTaken) { EXPECT_EQ(Refusal(), std::nullopt); }

class PickySite : public RosterAttack {
 protected:
  PickySite() : RosterAttack(Setting{.policy = "cohort_min = 9"}) {}
};

TEST_F(PickySite, ACohortThatIsLargeEnoughForThePlanButNotForTheSite) {
  EXPECT_EQ(Refusal(), RefusalReason::kCohortTooSmall);
}

}  // namespace
}  // namespace aisle::hostile
