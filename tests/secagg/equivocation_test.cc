// A headquarters that tells one half of the stores this and the other half that, with a colluding store that signs
// whatever it is asked to. What the threshold is for: it never gets answers from both.
#include <gtest/gtest.h>

#include <vector>

#include "tests/secagg/forged_roster.h"
#include "tests/secagg/mac_chain.h"

namespace aisle::secagg {
namespace {

constexpr uint32_t kStores = 9;
constexpr uint32_t kColluder = 8;

// Each store below `split` is told that store 6 survived, the others that it dropped out; both sets of signatures are
// shown to each, the colluder's in both.
class TwoTales {
 public:
  explicit TwoTales(uint32_t split) : split_(split), played_({.size = kStores}) {
    played_.Collect();
    for (uint32_t position = 0; position < kColluder; ++position) Confirm(position);
    for (const bool first : {true, false}) {
      const std::string statement = SurvivorsStatement(played_.cohort().name(), SurvivorsRoot(Statuses(first)));
      Signed(first).push_back(
          {kColluder, SignAs(CertificateOf(StoreNumbered(kColluder)), kSurvivorsDomain, statement)});
    }
  }

  // How many honest stores reveal something under each tale.
  std::pair<int, int> Reveal() {
    std::pair<int, int> count;
    for (uint32_t position = 0; position < kColluder; ++position) {
      for (const bool first : {true, false}) {
        const UnmaskInstruction asked{.round = played_.cohort().terms().round,
                                      .attempt = 1,
                                      .deadline = {},
                                      .survivors = SurvivorsRoot(Statuses(first)),
                                      .confirmations = Signed(first)};
        if (std::holds_alternative<RevealedShares>(played_.member(position).Reveal(asked, TrustInAll()))) {
          ++(first ? count.first : count.second);
        }
      }
    }
    return count;
  }

 private:
  std::vector<MemberStatus> Statuses(bool first) const {
    std::vector<MemberStatus> statuses(kStores, MemberStatus::kSurvived);
    if (!first) statuses[6] = MemberStatus::kDropped;
    return statuses;
  }
  std::vector<NeighbourConfirmation>& Signed(bool first) { return first ? first_ : second_; }
  void Confirm(uint32_t position) {
    const bool first = position < split_;
    const ConfirmInstruction asked{
        .round = played_.cohort().terms().round, .attempt = 1, .deadline = {}, .statuses = Statuses(first)};
    const auto answer = played_.member(position).Confirm(asked, played_.credentials(position));
    if (const auto* confirmation = std::get_if<Confirmation>(&*answer)) {
      Signed(first).push_back({position, confirmation->signature});
    }
  }

  uint32_t split_;
  PlayedCohort played_;
  std::vector<NeighbourConfirmation> first_;
  std::vector<NeighbourConfirmation> second_;
};

TEST(EquivocationTest, OfSurvivorsGetsAnswersToOneTaleAtMost) {
  int answered = 0;
  for (uint32_t split = 0; split <= kColluder; ++split) {
    const auto [first, second] = TwoTales(split).Reveal();
    EXPECT_TRUE(first == 0 || second == 0) << split << " stores were told the first: " << first << ", " << second;
    answered += first + second > 0 ? 1 : 0;
  }
  EXPECT_GE(answered, 2);  // Where (nearly) all hear the same, they do answer.
}

// Two rosters that differ in the colluder's nonce alone: each half's shares are noise to the other half, and either
// half is too small to mask for.
TEST(EquivocationTest, OfRostersGetsNoMaskedVector) {
  PlayedCohort played({.size = kStores});
  std::vector<Advert> adverts = AdvertsOf(played);
  adverts[kColluder].nonce = std::string(32, 'm');
  Resign(adverts[kColluder]);
  const auto forged = Cohort::Make(played.cohort().terms(), [&] {
    std::map<StoreId, Advert> all;
    for (const Advert& advert : adverts) all.emplace(advert.store, advert);
    return all;
  }());
  ASSERT_TRUE(forged.ok());
  std::map<uint32_t, DealtShares> dealt;
  for (uint32_t position = 0; position < kColluder; ++position) {
    const auto asked = position < 4 ? played.ShareFor(position) : ForgedRoster(played, adverts, position);
    dealt.emplace(position, Given(played.member(position).Share(asked, played.credentials(position), TrustInAll())));
  }
  for (uint32_t position = 0; position < kColluder; ++position) {
    EXPECT_EQ(played.member(position).Take(forged->InboxOf(position, dealt))->reason, RefusalReason::kShareWrong);
    SharesInbox half = forged->InboxOf(position, dealt);
    std::erase_if(half.shares, [&](const ReceivedShares& shares) { return (shares.from < 4) != (position < 4); });
    EXPECT_EQ(played.member(position).Take(half)->reason, RefusalReason::kCohortTooSmall);
    EXPECT_FALSE(played.member(position).masked());
  }
}

}  // namespace
}  // namespace aisle::secagg
