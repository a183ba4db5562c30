// Headquarters' side: what it makes of adverts, and which messages of stores it doesn't take.
#include "privacy/secagg/cohort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "privacy/secagg/sealed_shares.h"
#include "privacy/secagg/unmask.h"
#include "tests/secagg/mac_chain.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

using ::testing::HasSubstr;

std::map<StoreId, Advert> AdvertsByStore(const PlayedCohort& played) {
  std::map<StoreId, Advert> adverts;
  for (uint32_t position = 0; position < played.cohort().size(); ++position) {
    adverts.emplace(played.cohort().StoreAt(position), played.cohort().AdvertOf(position));
  }
  return adverts;
}

TEST(CohortTest, StandsInTheOrderOfIds) {
  PlayedCohort played({});
  for (uint32_t position = 0; position < 6; ++position) {
    EXPECT_EQ(played.cohort().StoreAt(position), StoreNumbered(position));
    EXPECT_EQ(played.cohort().PositionOf(StoreNumbered(position)), position);
  }
  EXPECT_EQ(played.cohort().PositionOf(StoreNumbered(6)), std::nullopt);
}

TEST(CohortTest, IsMadeAgainFromTheSameAdverts) {
  PlayedCohort played({.size = 40, .cohort_min = 30});
  const auto again = Cohort::Make(played.cohort().terms(), AdvertsByStore(played));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->name(), played.cohort().name());
  EXPECT_EQ(again->NeighboursOf(17), played.cohort().NeighboursOf(17));
}

TEST(CohortTest, NamesStoresThatShareAKey) {
  PlayedCohort played({});
  auto adverts = AdvertsByStore(played);
  adverts.at(StoreNumbered(5)).mask_key = adverts.at(StoreNumbered(1)).channel_key;
  const auto made = Cohort::Make(played.cohort().terms(), adverts);
  EXPECT_EQ(made.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(made.status().message(), HasSubstr("'store-00001' and 'store-00005'"));
}

TEST(CohortTest, TakesNoAdvertOnOtherTermsOrUnderAnotherName) {
  PlayedCohort played({});
  auto adverts = AdvertsByStore(played);
  adverts.at(StoreNumbered(5)).terms = Sha256::Of("other");
  EXPECT_EQ(Cohort::Make(played.cohort().terms(), adverts).status().code(), StatusCode::kInvalidArgument);
  adverts = AdvertsByStore(played);
  adverts.at(StoreNumbered(5)).store = StoreNumbered(9);
  EXPECT_EQ(Cohort::Make(played.cohort().terms(), adverts).status().code(), StatusCode::kInvalidArgument);
}

TEST(CohortTest, NeedsEnoughStores) {
  PlayedCohort played({});
  auto adverts = AdvertsByStore(played);
  adverts.erase(StoreNumbered(0));
  while (adverts.size() > 2) adverts.erase(adverts.begin());
  EXPECT_EQ(Cohort::Make(played.cohort().terms(), adverts).status().code(), StatusCode::kFailedPrecondition);
  CohortTerms hopeless = TermsOf(played.play());
  hopeless.corrupt_permille = 900;
  std::map<StoreId, Advert> all = AdvertsByStore(played);
  for (auto& [store, advert] : all) advert.terms = DigestOf(hopeless);
  EXPECT_EQ(Cohort::Make(hopeless, all).status().code(), StatusCode::kFailedPrecondition);
}

TEST(CohortTest, SaysWhoHasTooFewNeighbours) {
  PlayedCohort played({});
  const uint32_t threshold = played.cohort().parameters().threshold;
  std::vector<bool> there(6, false);
  for (uint32_t i = 0; i < threshold; ++i) there[i] = true;
  // Those who are there have one fewer: nobody is its own neighbour.
  std::vector<uint32_t> expected(threshold);
  for (uint32_t i = 0; i < threshold; ++i) expected[i] = i;
  EXPECT_EQ(played.cohort().WithTooFewNeighbours(there, there), expected);
  EXPECT_TRUE(played.cohort().WithTooFewNeighbours(there, std::vector<bool>(6, true)).empty());
}

TEST(CohortTest, TakesNoAdvertThatIsntTheStores) {
  PlayedCohort played({});
  Advert advert = played.cohort().AdvertOf(3);
  EXPECT_TRUE(VerifyAdvert(advert, TrustInAll()).ok());
  advert.nonce[0] ^= 1;
  EXPECT_EQ(VerifyAdvert(advert, TrustInAll()).code(), StatusCode::kUnauthenticated);
}

TEST(CohortTest, TakesNoKeyOfLowOrder) {
  PlayedCohort played({});
  for (const char first : {'\0', '\1'}) {
    Advert advert = played.cohort().AdvertOf(3);
    advert.mask_key.assign(32, '\0');
    advert.mask_key[0] = first;
    EXPECT_EQ(VerifyAdvert(advert, TrustInAll()).code(), StatusCode::kInvalidArgument);
  }
}

TEST(CohortTest, TakesOnlySharesForExactlyTheDealersNeighbours) {
  PlayedCohort played({});
  played.Deal();
  const auto check = [&](const std::function<void(DealtShares&)>& change) {
    DealtShares dealt = played.transcript().dealt.at(3);
    change(dealt);
    return played.cohort().CheckDealt(3, dealt).code();
  };
  EXPECT_EQ(check([](DealtShares&) {}), StatusCode::kOk);
  EXPECT_EQ(check([](DealtShares& dealt) { dealt.shares.pop_back(); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](DealtShares& dealt) { dealt.shares.push_back(dealt.shares.back()); }),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](DealtShares& dealt) { dealt.shares[0].to = 3; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](DealtShares& dealt) { dealt.shares[0].sealed += 'x'; }), StatusCode::kInvalidArgument);
  DealtShares changed = played.transcript().dealt.at(3);
  changed.seed_digest.bytes[0] ^= 1;
  EXPECT_EQ(VerifyDealt(played.cohort(), 3, changed, TrustInAll()).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(VerifyDealt(played.cohort(), 4, played.transcript().dealt.at(3), TrustInAll()).code(),
            StatusCode::kInvalidArgument);
}

TEST(CohortTest, TakesOnlyTheSharesThatAreOwed) {
  PlayedCohort played({.size = 8, .dropout_permille = 300, .absent = {0}, .dropped = {1}});
  played.Reveal();
  const Transcript& said = played.transcript();
  const auto check = [&](const std::function<void(RevealedShares&)>& change) {
    RevealedShares revealed = said.revealed.at(3);
    change(revealed);
    return played.cohort().CheckRevealed(3, said.statuses, said.dealt, revealed).code();
  };
  EXPECT_EQ(check([](RevealedShares&) {}), StatusCode::kOk);
  EXPECT_EQ(check([](RevealedShares& all) { all.shares.pop_back(); }), StatusCode::kOk) << "it had none that was right";
  EXPECT_EQ(check([](RevealedShares& all) { all.shares.push_back(all.shares[0]); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { all.shares.push_back(all.shares.back()); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { std::swap(all.shares[0], all.shares[1]); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { all.shares[0].of = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { all.shares[0].kind = ShareKind::kSeed; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { all.shares[1].share[7] ^= 1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(check([](RevealedShares& all) { std::swap(all.shares[1].share, all.shares[2].share); }),
            StatusCode::kInvalidArgument);
}

// Shares that each are as committed and yet lie on no polynomial: the dealer is named.
TEST(CohortTest, NamesADealerWhoseSharesDontMakeItsSecret) {
  PlayedCohort played({});
  played.Reveal();
  Transcript transcript = played.transcript();
  for (auto& [from, revealed] : transcript.revealed) {
    for (RevealedShare& share : revealed.shares) {
      if (share.of == 4) share.share[0] ^= 1;
    }
  }
  const auto masks = Reconstruct(transcript);
  EXPECT_EQ(masks.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(masks.status().message(), HasSubstr("'store-00004'"));
}

// One or two wrong shares among seven, of which it takes five: the right ones are found.
TEST(CohortTest, RebuildsASecretAmongWrongSharesIfEnoughAreRight) {
  for (const size_t wrong : {1U, 2U, 3U}) {
    PlayedCohort played({.size = 8, .dropped = {2}});
    played.Reveal();
    std::vector<uint32_t> honest = played.MaskedSum();
    Reconstruct(played.transcript())->RemoveFrom(0, honest);
    Transcript transcript = played.transcript();
    for (const uint32_t dealer : {2U, 4U}) {
      size_t spoilt = 0;
      for (auto& [from, revealed] : transcript.revealed) {
        const auto share = std::ranges::find(revealed.shares, dealer, &RevealedShare::of);
        if (share == revealed.shares.end() || spoilt == wrong) continue;
        share->share[0] ^= 1;
        ++spoilt;
      }
    }
    const auto masks = Reconstruct(transcript);
    const size_t shares_of_4 = 6;  // Of the survivors but itself.
    const bool enough = shares_of_4 - wrong >= transcript.cohort->parameters().threshold;
    EXPECT_EQ(masks.ok(), enough) << wrong;
    EXPECT_EQ(WrongDealers(transcript).empty(), enough) << wrong;
    if (!masks.ok()) continue;
    std::vector<uint32_t> sum = played.MaskedSum();
    masks->RemoveFrom(0, sum);
    EXPECT_EQ(sum, honest);
    EXPECT_EQ(sum, played.PlainSum());
  }
}

TEST(CohortTest, NamesEveryDealerOfWrongSharesAndNobodyElse) {
  PlayedCohort played({});
  played.Reveal();
  EXPECT_TRUE(WrongDealers(played.transcript()).empty());
  Transcript transcript = played.transcript();
  for (const uint32_t dealer : {1U, 4U}) transcript.dealt.at(dealer).seed_digest.bytes[0] ^= 1;
  EXPECT_THAT(WrongDealers(transcript), ::testing::ElementsAre(StoreNumbered(1), StoreNumbered(4)));
}

TEST(CohortTest, NamesADealerWhoseSeedIsAnother) {
  PlayedCohort played({});
  played.Reveal();
  Transcript transcript = played.transcript();
  transcript.dealt.at(4).seed_digest.bytes[0] ^= 1;
  EXPECT_THAT(Reconstruct(transcript).status().message(), HasSubstr("'store-00004'"));
}

}  // namespace
}  // namespace aisle::secagg
