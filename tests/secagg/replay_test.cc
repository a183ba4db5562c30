// No message of one cohort is accepted in another: everything that stores and headquarters say is replayed into another
// round, another attempt, other terms and another roster of the same stores with the same secrets' positions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "privacy/secagg/keys.h"
#include "tests/secagg/forged_roster.h"
#include "tests/secagg/mac_chain.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

constexpr uint32_t kMember = 2;

// Same stores, other words.
struct Elsewhere {
  std::string name;
  Play play;
};
void PrintTo(const Elsewhere& elsewhere, std::ostream* out) { *out << elsewhere.name; }

class ReplayTest : public ::testing::TestWithParam<Elsewhere> {};

INSTANTIATE_TEST_SUITE_P(, ReplayTest,
                         ::testing::Values(Elsewhere{"AnotherRound", {.round = 8}},
                                           Elsewhere{"AnotherAttempt", {.attempt = 2}},
                                           Elsewhere{"AnotherLength", {.length = 41}},
                                           Elsewhere{"AnotherMinimum", {.cohort_min = 4}},
                                           Elsewhere{"OtherAssumptions", {.corrupt_permille = 60}},
                                           Elsewhere{"AnotherRosterOnTheSameTerms", {.seed = 2}}),
                         [](const auto& test) { return test.param.name; });

// As `instruction`, but addressed to the other cohort.
template <typename T>
T AddressedTo(const PlayedCohort& played, T instruction) {
  instruction.round = played.cohort().terms().round;
  instruction.attempt = played.play().attempt;
  return instruction;
}

template <typename T>
bool IsRefused(const StatusOr<Answer<T>>& answer) {
  return answer.ok() && std::holds_alternative<Refused>(*answer);
}

TEST_P(ReplayTest, OfAnAdvert) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  const bool same_terms = one.cohort().terms() == other.cohort().terms();
  // Headquarters puts a neighbour's old advert into the new roster.
  std::map<StoreId, Advert> adverts;
  for (uint32_t position = 0; position < 6; ++position) {
    const Advert& advert = (position == 4 ? one : other).cohort().AdvertOf(position);
    adverts.emplace(advert.store, advert);
  }
  // On other terms it isn't even a cohort. On the same, it is one of the cohort's adverts: a store that joins twice in
  // one attempt, which an honest one doesn't.
  EXPECT_EQ(Cohort::Make(other.cohort().terms(), adverts).ok(), same_terms);
}

TEST_P(ReplayTest, OfARoster) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  const ShareInstruction replayed = AddressedTo(other, one.ShareFor(kMember));
  EXPECT_TRUE(IsRefused(other.member(kMember).Share(replayed, other.credentials(kMember), TrustInAll())));
}

TEST_P(ReplayTest, OfDealtShares) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  one.Deal();
  other.Deal();
  EXPECT_FALSE(VerifyDealt(other.cohort(), 4, one.transcript().dealt.at(4), TrustInAll()).ok());
  SharesInbox inbox = one.InboxFor(kMember);
  inbox.attempt = other.play().attempt;
  EXPECT_EQ(other.member(kMember).Take(inbox)->reason, RefusalReason::kShareWrong);
  for (size_t i = 0; i < inbox.shares.size(); ++i) {
    SharesInbox mixed = other.InboxFor(kMember);
    mixed.shares[i] = inbox.shares[i];
    Member member = *Member::Decode(other.member(kMember).Encode().Reveal());
    if (const auto refused = member.Take(mixed)) {
      EXPECT_EQ(refused->reason, RefusalReason::kShareWrong);
    } else {  // It goes on with the others'. This one counts for nothing.
      EXPECT_THAT(member.WrongDealers(), ::testing::ElementsAre(other.cohort().StoreAt(mixed.shares[i].from)));
    }
  }
}

TEST_P(ReplayTest, OfAConfirmation) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  one.Confirm();
  other.Confirm();
  // The statuses are equal, so their root is; the signatures are of the cohort.
  const UnmaskInstruction replayed = AddressedTo(other, one.UnmaskFor(kMember));
  ASSERT_EQ(replayed.survivors, other.UnmaskFor(kMember).survivors);
  const auto answer = other.member(kMember).Reveal(replayed, TrustInAll());
  ASSERT_TRUE(std::holds_alternative<Refused>(answer));
  EXPECT_EQ(std::get<Refused>(answer).reason, RefusalReason::kUnconfirmed);
  const Confirmation confirmation{.survivors = replayed.survivors,
                                  .signature = replayed.confirmations.back().signature};
  EXPECT_FALSE(VerifyConfirmation(other.cohort(), replayed.confirmations.back().from, replayed.survivors, confirmation,
                                  TrustInAll())
                   .ok());
}

TEST_P(ReplayTest, OfRevealedShares) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  one.Reveal();
  other.Confirm();
  EXPECT_FALSE(other.cohort()
                   .CheckRevealed(kMember, other.transcript().statuses, other.transcript().dealt,
                                  one.transcript().revealed.at(kMember))
                   .ok());
}

// Nobody's masks of one cohort come out with another's, even if all are the same stores'.
TEST_P(ReplayTest, OfAMaskedVector) {
  PlayedCohort one({});
  PlayedCohort other(GetParam().play);
  one.Collect();
  other.Collect();
  std::vector<uint32_t> first(32);
  std::vector<uint32_t> second(32);
  one.member(kMember).Mask(0, first);
  other.member(kMember).Mask(0, second);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NE(first[i], second[i]);
}

// The same stores with the same secrets, as after a disk was set back: a roster that differs in one colluder's nonce
// makes other masks and other shares, so that nothing of the one helps with the other.
TEST(AnotherRosterTest, MakesOtherMasksAndOtherShares) {
  PlayedCohort one({});
  PlayedCohort other({});
  ASSERT_EQ(one.cohort().AdvertOf(kMember), other.cohort().AdvertOf(kMember));
  std::vector<Advert> adverts = AdvertsOf(other);
  adverts[5].nonce = std::string(32, 'm');
  Resign(adverts[5]);
  std::map<StoreId, Advert> all;
  for (const Advert& advert : adverts) all.emplace(advert.store, advert);
  const auto cohort = Cohort::Make(other.cohort().terms(), all);
  ASSERT_TRUE(cohort.ok());
  one.Collect();
  std::map<uint32_t, DealtShares> dealt;
  for (uint32_t position = 0; position < 5; ++position) {
    dealt.emplace(position, Given(other.member(position).Share(ForgedRoster(other, adverts, position),
                                                               other.credentials(position), TrustInAll())));
  }
  ASSERT_FALSE(other.member(kMember).Take(cohort->InboxOf(kMember, dealt)).has_value());
  std::vector<uint32_t> first(40);
  std::vector<uint32_t> second(40);
  one.member(kMember).Mask(0, first);
  other.member(kMember).Mask(0, second);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NE(first[i], second[i]);
  // And each key for itself.
  const auto pair = [](const CohortName& name) {
    return *PairMask(ReadyKey(SecretBytes::CopyOf(std::string(32, 'a'))), std::string(32, '\x09'), name, 0, 1);
  };
  EXPECT_NE(pair(one.cohort().name()).key.Reveal(), pair(cohort->name()).key.Reveal());
  const SecretBytes seed = SecretBytes::CopyOf(std::string(32, 's'));
  EXPECT_NE(SelfMask(seed, one.cohort().name(), 0).key.Reveal(), SelfMask(seed, cohort->name(), 0).key.Reveal());
  EXPECT_NE(DealingSeed(seed, one.cohort().name()).Reveal(), DealingSeed(seed, cohort->name()).Reveal());
  EXPECT_NE(ShareCommitment(one.cohort().name(), 0, 1, ShareKind::kSeed, "share"),
            ShareCommitment(cohort->name(), 0, 1, ShareKind::kSeed, "share"));
}

TEST(ForeignInstructionTest, IsRefusedAtEveryStep) {
  PlayedCohort played({});
  Member& member = played.member(kMember);
  const auto foreign = [](auto instruction, bool round) {
    round ? ++instruction.round.number : ++instruction.attempt;
    return instruction;
  };
  for (const bool round : {true, false}) {
    EXPECT_TRUE(
        IsRefused(member.Share(foreign(played.ShareFor(kMember), round), played.credentials(kMember), TrustInAll())));
  }
  played.Confirm();
  for (const bool round : {true, false}) {
    EXPECT_TRUE(IsRefused(member.Confirm(foreign(played.ConfirmFor(kMember), round), played.credentials(kMember))));
    EXPECT_TRUE(
        std::holds_alternative<Refused>(member.Reveal(foreign(played.UnmaskFor(kMember), round), TrustInAll())));
  }
}

}  // namespace
}  // namespace aisle::secagg
