// Every reason for which a store refuses, each drawn by a headquarters that forges exactly that. After each, the store
// goes on with the honest instruction: a refusal changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/secagg/forged_roster.h"
#include "tests/secagg/mac_chain.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

using ::testing::HasSubstr;
using enum RefusalReason;

constexpr uint32_t kLiedTo = 2;  // The store that is lied to.

struct Forgery {
  std::string name;
  RefusalReason reason;
  std::string detail;  // Part of what the refusal says.
  std::function<void(PlayedCohort&, ShareInstruction&)> forge;
};
void PrintTo(const Forgery& forgery, std::ostream* out) { *out << forgery.name; }

// A forgery of the roster itself: adverts are changed, the tree is made anew and signed.
auto Rebuilt(std::function<void(std::vector<Advert>&)> change) {
  return [change](PlayedCohort& played, ShareInstruction& instruction) {
    std::vector<Advert> adverts = AdvertsOf(played);
    change(adverts);
    instruction = ForgedRoster(played, adverts, kLiedTo);
  };
}

const std::vector<Forgery>& RosterForgeries() {
  static const std::vector<Forgery> forgeries = {
      {"AnotherRound", kCohortReplayed, "round demand/8", [](auto&, auto& asked) { asked.round.number = 8; }},
      {"AnotherAttempt", kCohortReplayed, "attempt 2", [](auto&, auto& asked) { asked.attempt = 2; }},
      {"OtherTerms", kTermsDiffer, "40 coordinates",
       [](PlayedCohort& played, ShareInstruction& asked) {
         CohortTerms terms = TermsOf(played.play());
         terms.length = 41;
         asked.roster.terms = DigestOf(terms);
         Resign(asked.roster);
       }},
      {"AnotherPlan", kTermsDiffer, "plan",
       [](PlayedCohort& played, ShareInstruction& asked) {
         CohortTerms terms = TermsOf(played.play());
         terms.plan = Sha256::Of("another plan");
         asked.roster.terms = DigestOf(terms);
         Resign(asked.roster);
       }},
      {"AnUnsignedRoster", kRosterForged, "coordinator", [](auto&, auto& asked) { asked.roster.signature.clear(); }},
      {"ARosterSignedByAStore", kRosterForged, "coordinator",
       [](auto&, auto& asked) {
         asked.roster.certificate_pem = CertificateOf(StoreNumbered(0));
         asked.roster.signature =
             SignAs(asked.roster.certificate_pem, kRosterDomain, RosterStatement(NameOf(asked.roster)));
       }},
      {"AnotherRootUnderTheSignature", kRosterForged, "coordinator",
       [](auto&, auto& asked) { asked.roster.root = Sha256::Of("root"); }},
      {"FewStores", kCohortTooSmall, "fewer than 3",
       [](auto&, ShareInstruction& asked) {
         asked.roster.size = 2;
         Resign(asked.roster);
       }},
      {"ARosterWithoutUs", kNotInRoster, "isn't in the roster",
       [](PlayedCohort& played, ShareInstruction& asked) {
         std::vector<Advert> adverts = AdvertsOf(played);
         adverts[kLiedTo].nonce = std::string(32, 'x');
         asked = ForgedRoster(played, adverts, kLiedTo);
         asked.own.advert = played.cohort().AdvertOf(kLiedTo);
       }},
      {"OurKeySwapped", kNotInRoster, "the one that this store sent",
       Rebuilt([](auto& adverts) { adverts[kLiedTo].mask_key = std::string(32, 'k'); })},
      {"OurNonceSwapped", kNotInRoster, "the one that this store sent",
       Rebuilt([](auto& adverts) { adverts[kLiedTo].nonce = std::string(32, 'n'); })},
      {"OurPlaceSwapped", kNotInRoster, "our own advert", [](auto&, auto& asked) { asked.own.position = 3; }},
      {"OurPlaceOutside", kNotInRoster, "no such place", [](auto&, auto& asked) { asked.own.position = 6; }},
      {"OurProofCut", kNotInRoster, "too short", [](auto&, auto& asked) { asked.own.proof.pop_back(); }},
      {"ANeighbourLeftOut", kNeighboursForged, "4 neighbours", [](auto&, auto& asked) { asked.neighbours.pop_back(); }},
      {"ANeighbourTooMany", kNeighboursForged, "6 neighbours",
       [](auto&, auto& asked) { asked.neighbours.push_back(asked.neighbours.back()); }},
      {"WeAsOurNeighbour", kNeighboursForged, "position 2",
       [](auto&, auto& asked) { asked.neighbours[2] = asked.own; }},
      {"ANeighbourTwice", kNeighboursForged, "position 0",
       [](auto&, auto& asked) { asked.neighbours[1] = asked.neighbours[0]; }},
      {"ANeighboursAdvertSwapped", kRosterForged, "'store-00004'",
       [](PlayedCohort&, ShareInstruction& asked) {
         Advert& advert = asked.neighbours[3].advert;
         advert.channel_key = std::string(32, 'k');
         Resign(advert);
       }},
      {"ANeighboursProofOfAnother", kRosterForged, "isn't in the roster",
       [](auto&, auto& asked) { std::swap(asked.neighbours[0].proof, asked.neighbours[4].proof); }},
      {"IdsOutOfOrder", kRosterForged, "against the order",
       Rebuilt([](auto& adverts) { std::swap(adverts[0], adverts[1]); })},
      {"ANeighboursSignatureForged", kNeighbourUnproven, "'store-00001'",
       Rebuilt([](auto& adverts) { adverts[1].signature[0] ^= 1; })},
      {"ANeighboursKeyForged", kNeighbourUnproven, "'store-00001'",
       Rebuilt([](auto& adverts) { adverts[1].mask_key = std::string(32, 'k'); })},
      {"ANeighboursNonceForged", kNeighbourUnproven, "'store-00001'",
       Rebuilt([](auto& adverts) { adverts[1].nonce = std::string(32, 'k'); })},
      {"ANeighboursCertificateOfAnother", kNeighbourUnproven, "'store-00001'", Rebuilt([](auto& adverts) {
         adverts[1].certificate_pem = CertificateOf(StoreNumbered(9));
         Resign(adverts[1]);
       })},
      {"ACoordinatorAsANeighbour", kNeighbourUnproven, "'store-00001'", Rebuilt([](auto& adverts) {
         adverts[1].certificate_pem = kHeadquartersCertificate;
         Resign(adverts[1]);
       })},
      {"ANeighbourOfNoKey", kNeighbourUnproven, "low order", Rebuilt([](auto& adverts) {
         adverts[1].channel_key = std::string(32, '\0');
         Resign(adverts[1]);
       })},
      {"ANeighbourOnOtherTerms", kTermsDiffer, "'store-00001'", Rebuilt([](auto& adverts) {
         adverts[1].terms = Sha256::Of("other terms");
         Resign(adverts[1]);
       })},
      {"AStoreTwice", kDuplicateKeys, "again at 1", Rebuilt([](auto& adverts) { adverts[1] = adverts[0]; })},
      {"ANeighbourWithOurChannelKey", kDuplicateKeys, "'store-00002'", Rebuilt([](auto& adverts) {
         adverts[5].channel_key = adverts[kLiedTo].channel_key;
         Resign(adverts[5]);
       })},
      {"OneMaskKeyForTwo", kDuplicateKeys, "'store-00005'", Rebuilt([](auto& adverts) {
         adverts[5].mask_key = adverts[0].mask_key;
         Resign(adverts[5]);
       })},
      {"AChannelKeyAsMaskKey", kDuplicateKeys, "'store-00005'", Rebuilt([](auto& adverts) {
         adverts[5].mask_key = adverts[5].channel_key;
         Resign(adverts[5]);
       })},
  };
  return forgeries;
}

class RosterForgeryTest : public ::testing::TestWithParam<Forgery> {};

TEST_P(RosterForgeryTest, IsRefusedAndForgotten) {
  PlayedCohort played({});
  ShareInstruction asked = played.ShareFor(kLiedTo);
  GetParam().forge(played, asked);
  Member& member = played.member(kLiedTo);
  const SecretBytes before = member.Encode();
  const auto answer = member.Share(asked, played.credentials(kLiedTo), TrustInAll());
  ASSERT_TRUE(answer.ok());
  const auto* refused = std::get_if<Refused>(&*answer);
  ASSERT_NE(refused, nullptr) << "it was believed";
  EXPECT_EQ(refused->reason, GetParam().reason) << NameOf(refused->reason) << ": " << refused->detail;
  EXPECT_THAT(refused->detail, HasSubstr(GetParam().detail));
  EXPECT_EQ(member.Encode().Reveal(), before.Reveal());
  played.Deal();
}

INSTANTIATE_TEST_SUITE_P(, RosterForgeryTest, ::testing::ValuesIn(RosterForgeries()),
                         [](const auto& test) { return test.param.name; });

// A certificate that the authority made out to two stores over one key.
TEST(RosterTest, RefusesTwoStoresWithOneCertifiedKey) {
  PlayedCohort played({});
  Trust trust = TrustInAll();
  trust.key_of = [](const std::string& certificate) -> StatusOr<Digest> {
    return Sha256::Of(certificate == CertificateOf(StoreNumbered(4)) ? CertificateOf(StoreNumbered(1)) : certificate);
  };
  const auto answer = played.member(kLiedTo).Share(played.ShareFor(kLiedTo), played.credentials(kLiedTo), trust);
  EXPECT_EQ(std::get<Refused>(*answer).reason, kDuplicateKeys);
}

TEST(RosterTest, RefusesACohortBelowWhatTheSiteAsks) {
  PlayedCohort played({});
  AesCtrStream random(SecretBytes(32), "test/strict");
  // The site policy wants 7 stores; the plan and headquarters are content with 3.
  auto strict = Member::Join(TermsOf(played.play()), 7, StoreNumbered(kLiedTo), played.credentials(kLiedTo), random);
  const auto answer = strict->Share(played.ShareFor(kLiedTo), played.credentials(kLiedTo), TrustInAll());
  EXPECT_EQ(std::get<Refused>(*answer).reason, kCohortTooSmall);
}

TEST(RosterTest, RefusesASecondRoster) {
  PlayedCohort played({});
  played.Deal();
  std::vector<Advert> adverts = AdvertsOf(played);
  adverts[5].nonce = std::string(32, 'm');  // A colluding store joins with another nonce.
  Resign(adverts[5]);
  const ShareInstruction second = ForgedRoster(played, adverts, kLiedTo);
  const auto answer = played.member(kLiedTo).Share(second, played.credentials(kLiedTo), TrustInAll());
  EXPECT_EQ(std::get<Refused>(*answer).reason, kCohortReplayed);
}

TEST(RosterTest, ANeighbourThatFollowsFromNoNoncesIsRefused) {
  PlayedCohort played({.size = 45, .cohort_min = 40});
  ShareInstruction asked = played.ShareFor(0);
  const auto strangers = [&](uint32_t position) {
    return std::ranges::none_of(asked.neighbours, [&](const auto& entry) { return entry.position == position; });
  };
  uint32_t stranger = 1;
  while (!strangers(stranger)) ++stranger;
  asked.neighbours.back() = played.cohort().EntryOf(stranger);
  std::ranges::sort(asked.neighbours, {}, &RosterEntry::position);
  const auto answer = played.member(0).Share(asked, played.credentials(0), TrustInAll());
  EXPECT_EQ(std::get<Refused>(*answer).reason, kNeighboursForged);
}

// ---- Step 3.

Refused RefusedInbox(PlayedCohort& played, const SharesInbox& inbox) {
  const SecretBytes before = played.member(kLiedTo).Encode();
  const auto refused = played.member(kLiedTo).Take(inbox);
  AISLE_CHECK(refused.has_value(), "it was believed");
  EXPECT_EQ(played.member(kLiedTo).Encode().Reveal(), before.Reveal());
  EXPECT_FALSE(played.member(kLiedTo).masked());
  EXPECT_FALSE(played.member(kLiedTo).Take(played.InboxFor(kLiedTo)).has_value());  // The honest one still goes.
  return *refused;
}

// Four of five neighbours' shares must be right.
TEST(InboxTest, RefusesWrongSharesOfMoreThanOne) {
  const std::map<std::string, std::function<void(ReceivedShares&)>> forgeries = {
      {"changed", [](auto& shares) { shares.sealed[20] ^= 1; }},
      {"cut", [](auto& shares) { shares.sealed.pop_back(); }},
      {"with another mask commitment", [](auto& shares) { shares.mask_commitment.bytes[0] ^= 1; }},
      {"with another seed commitment", [](auto& shares) { shares.seed_commitment.bytes[31] ^= 1; }},
      {"with commitments swapped", [](auto& shares) { std::swap(shares.mask_commitment, shares.seed_commitment); }},
  };
  for (const auto& [name, forge] : forgeries) {
    PlayedCohort played({});
    played.Deal();
    SharesInbox inbox = played.InboxFor(kLiedTo);
    forge(inbox.shares[0]);
    forge(inbox.shares[3]);
    const Refused refused = RefusedInbox(played, inbox);
    EXPECT_EQ(refused.reason, kShareWrong) << name;
    EXPECT_THAT(refused.detail, HasSubstr("'store-00004'")) << name;  // The last dealer of such.
    EXPECT_TRUE(played.member(kLiedTo).WrongDealers().empty()) << name;

    PlayedCohort another({});
    another.Deal();
    inbox = another.InboxFor(kLiedTo);
    forge(inbox.shares[3]);
    EXPECT_FALSE(another.member(kLiedTo).Take(inbox).has_value()) << name << ", of one dealer only";
    EXPECT_THAT(another.member(kLiedTo).WrongDealers(), ::testing::ElementsAre(StoreNumbered(4))) << name;
  }
}

// The vector wears the masks of all who dealt, as theirs wear this store's.
TEST(InboxTest, GoesOnWithoutTheWrongSharesOfOne) {
  PlayedCohort played({});
  played.Deal();
  Member all_right = *Member::Decode(played.member(kLiedTo).Encode().Reveal());
  ASSERT_FALSE(all_right.Take(played.InboxFor(kLiedTo)).has_value());
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.shares[3].sealed[20] ^= 1;
  ASSERT_FALSE(played.member(kLiedTo).Take(inbox).has_value());
  const Member member = *Member::Decode(played.member(kLiedTo).Encode().Reveal());
  EXPECT_THAT(member.WrongDealers(), ::testing::ElementsAre(StoreNumbered(4)));
  EXPECT_TRUE(all_right.WrongDealers().empty());
  std::vector<uint32_t> one(40);
  std::vector<uint32_t> other(40);
  member.Mask(0, one);
  all_right.Mask(0, other);
  EXPECT_EQ(one, other);
  EXPECT_EQ(played.member(kLiedTo).Take(played.InboxFor(kLiedTo))->reason, kCohortReplayed)
      << "the right ones come late";
}

// Whatever becomes of the dealer, nothing of it is given; and it isn't to be called absent, since the vector wears its
// mask.
TEST(InboxTest, NothingIsGivenOfADealerOfWrongShares) {
  for (const bool dropped : {false, true}) {
    PlayedCohort played({.size = 8,
                         .dropout_permille = 300,
                         .dropped = dropped ? Positions{4} : Positions{},
                         .spoilt = {{4, {kLiedTo}}}});
    played.Reveal();
    const RevealedShares& given = played.transcript().revealed.at(kLiedTo);
    EXPECT_EQ(given.shares.size(), 6U);
    EXPECT_EQ(std::ranges::count(given.shares, 4U, &RevealedShare::of), 0);
    EXPECT_THAT(played.cohort().WithoutSharesOf(played.transcript().dealt, played.transcript().revealed),
                ::testing::ElementsAre(::testing::Pair(4U, 1U)));
    PlayedCohort lied_to({.size = 8, .dropout_permille = 300, .spoilt = {{4, {kLiedTo}}}});
    lied_to.Collect();
    ConfirmInstruction confirm = lied_to.ConfirmFor(kLiedTo);
    confirm.statuses[4] = MemberStatus::kAbsent;
    const auto answer = lied_to.member(kLiedTo).Confirm(confirm, lied_to.credentials(kLiedTo));
    EXPECT_EQ(std::get<Refused>(*answer).reason, kSurvivorsForged);
  }
}

TEST(InboxTest, RefusesWhatWasDealtToAnother) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.shares[3] = played.InboxFor(1).shares[3];  // Of store 4 as well, but for store 1.
  inbox.shares[4] = played.InboxFor(1).shares[4];
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kShareWrong);
}

TEST(InboxTest, RefusesWhatAnotherDealt) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  std::swap(inbox.shares[0], inbox.shares[1]);
  std::swap(inbox.shares[0].from, inbox.shares[1].from);
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kShareWrong);
}

TEST(InboxTest, RefusesAStrangersShares) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.shares[1].from = kLiedTo;
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kNeighboursForged);
}

TEST(InboxTest, RefusesADealersSharesTwice) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.shares[1] = inbox.shares[0];
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kNeighboursForged);
}

// Otherwise headquarters could give a store colluders' shares alone, take its vector with their masks only, and have
// its other neighbours, who know nothing of it, give the seed.
TEST(InboxTest, RefusesFewerThanTheThreshold) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.shares.resize(played.cohort().parameters().threshold - 1);
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kCohortTooSmall);
}

// A colluder whose mask key is a point of low order: everybody would know its masks. It deals as it should.
TEST(InboxTest, RefusesANeighbourOfNoMaskKey) {
  PlayedCohort played({});
  auto colluder = MemberState::Decode(played.member(5).Encode().Reveal());
  colluder->advert.mask_key.assign(32, '\0');
  Resign(colluder->advert);
  std::vector<Advert> adverts = AdvertsOf(played);
  adverts[5] = colluder->advert;
  played.member(5) = *Member::Decode(colluder->Encode().Reveal());
  std::map<StoreId, Advert> all;
  for (const Advert& advert : adverts) all.emplace(advert.store, advert);
  const auto cohort = Cohort::Make(played.cohort().terms(), all);
  std::map<uint32_t, DealtShares> dealt;
  for (uint32_t position = 0; position < 6; ++position) {
    dealt.emplace(position, Given(played.member(position).Share(ForgedRoster(played, adverts, position),
                                                                played.credentials(position), TrustInAll())));
  }
  const auto refused = played.member(kLiedTo).Take(cohort->InboxOf(kLiedTo, dealt));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, kNeighbourUnproven);
  EXPECT_THAT(refused->detail, HasSubstr("'store-00005'"));
  EXPECT_FALSE(played.member(kLiedTo).masked());
}

TEST(InboxTest, RefusesAnotherAttempts) {
  PlayedCohort played({});
  played.Deal();
  SharesInbox inbox = played.InboxFor(kLiedTo);
  inbox.attempt = 2;
  EXPECT_EQ(RefusedInbox(played, inbox).reason, kCohortReplayed);
}

TEST(InboxTest, RefusesASecondInbox) {
  PlayedCohort played({});
  played.Collect();
  SharesInbox fewer = played.InboxFor(kLiedTo);
  fewer.shares.pop_back();
  EXPECT_EQ(played.member(kLiedTo).Take(fewer)->reason, kCohortReplayed);
  EXPECT_FALSE(played.member(kLiedTo).Take(played.InboxFor(kLiedTo)).has_value());
}

TEST(InboxTest, RefusesSharesBeforeARoster) {
  PlayedCohort dealt({});
  dealt.Deal();
  PlayedCohort fresh({});
  EXPECT_EQ(fresh.member(kLiedTo).Take(dealt.InboxFor(kLiedTo))->reason, kCohortReplayed);
}

TEST(AttemptTest, AMaskedVectorIsSpent) {
  PlayedCohort played({.attempt = 2});
  played.Deal();
  EXPECT_FALSE(played.member(kLiedTo).RefusesAttempt(3).has_value());
  EXPECT_EQ(played.member(kLiedTo).RefusesAttempt(1)->reason, kCohortReplayed);
  played.Collect();
  EXPECT_FALSE(played.member(kLiedTo).RefusesAttempt(2).has_value());
  EXPECT_EQ(played.member(kLiedTo).RefusesAttempt(3)->reason, kVectorSpent);
}

// ---- Step 4.

Refused RefusedSurvivors(PlayedCohort& played, const ConfirmInstruction& asked) {
  const auto answer = played.member(kLiedTo).Confirm(asked, played.credentials(kLiedTo));
  AISLE_CHECK(answer.ok() && std::holds_alternative<Refused>(*answer), "it was believed");
  return std::get<Refused>(*answer);
}

struct StatusForgery {
  std::string name;
  RefusalReason reason;
  std::string detail;
  std::function<void(std::vector<MemberStatus>&)> forge;
};
void PrintTo(const StatusForgery& forgery, std::ostream* out) { *out << forgery.name; }

class SurvivorsForgeryTest : public ::testing::TestWithParam<StatusForgery> {};

// Store 0 is absent, store 1 dropped out.
TEST_P(SurvivorsForgeryTest, IsRefusedAndForgotten) {
  PlayedCohort played({.dropout_permille = 300, .absent = {0}, .dropped = {1}});
  played.Collect();
  ConfirmInstruction asked = played.ConfirmFor(kLiedTo);
  GetParam().forge(asked.statuses);
  const SecretBytes before = played.member(kLiedTo).Encode();
  const Refused refused = RefusedSurvivors(played, asked);
  EXPECT_EQ(refused.reason, GetParam().reason) << NameOf(refused.reason);
  EXPECT_THAT(refused.detail, HasSubstr(GetParam().detail));
  EXPECT_EQ(played.member(kLiedTo).Encode().Reveal(), before.Reveal());
  played.Confirm();
}

INSTANTIATE_TEST_SUITE_P(
    , SurvivorsForgeryTest,
    ::testing::Values(StatusForgery{"TooFewStatuses", kSurvivorsForged, "5 statuses",
                                    [](auto& statuses) { statuses.pop_back(); }},
                      StatusForgery{"TooManyStatuses", kSurvivorsForged, "7 statuses",
                                    [](auto& statuses) { statuses.push_back(MemberStatus::kSurvived); }},
                      StatusForgery{"WeDropped", kSurvivorsForged, "this store",
                                    [](auto& statuses) { statuses[kLiedTo] = MemberStatus::kDropped; }},
                      StatusForgery{"WeWereAbsent", kSurvivorsForged, "this store",
                                    [](auto& statuses) { statuses[kLiedTo] = MemberStatus::kAbsent; }},
                      StatusForgery{"AnAbsentOneSurvived", kSurvivorsForged, "'store-00000'",
                                    [](auto& statuses) { statuses[0] = MemberStatus::kSurvived; }},
                      StatusForgery{"AnAbsentOneDropped", kSurvivorsForged, "'store-00000'",
                                    [](auto& statuses) { statuses[0] = MemberStatus::kDropped; }},
                      StatusForgery{"ADealerWasAbsent", kSurvivorsForged, "'store-00003'",
                                    [](auto& statuses) { statuses[3] = MemberStatus::kAbsent; }},
                      StatusForgery{"AStatusThatIsNone", kSurvivorsForged, "none that there is",
                                    [](auto& statuses) { statuses[3] = static_cast<MemberStatus>(3); }},
                      StatusForgery{"TooFewSurvivors", kSurvivorsTooFew, "below 3",
                                    [](auto& statuses) { statuses[4] = statuses[5] = MemberStatus::kDropped; }}),
    [](const auto& test) { return test.param.name; });

// A fifth may collude: one of the smallest cohort's three, so two honest ones are counted on; but two of these eight.
TEST(SurvivorsTest, AllColludersOfALargeCohortMayBeAmongFewSurvivors) {
  PlayedCohort played({.size = 8, .cohort_min = 3, .corrupt_permille = 200, .dropout_permille = 0});
  played.Collect();
  ConfirmInstruction asked = played.ConfirmFor(kLiedTo);
  for (uint32_t i = 3; i < 8; ++i) asked.statuses[i] = MemberStatus::kDropped;
  EXPECT_THAT(RefusedSurvivors(played, asked).detail, HasSubstr("3 of 8 stores survived; below 4"));
  asked.statuses[3] = MemberStatus::kSurvived;
  const auto answer = played.member(kLiedTo).Confirm(asked, played.credentials(kLiedTo));
  EXPECT_TRUE(std::holds_alternative<Confirmation>(*answer));
}

TEST(SurvivorsTest, RefusesThemBeforeItsVectorIsMasked) {
  PlayedCohort played({});
  played.Deal();
  ConfirmInstruction asked = played.ConfirmFor(kLiedTo);
  asked.statuses.assign(6, MemberStatus::kSurvived);
  EXPECT_EQ(RefusedSurvivors(played, asked).reason, kSurvivorsForged);
}

TEST(SurvivorsTest, RefusesSecondOnes) {
  PlayedCohort played({});
  played.Confirm();
  ConfirmInstruction second = played.ConfirmFor(kLiedTo);
  second.statuses[4] = MemberStatus::kDropped;
  EXPECT_EQ(RefusedSurvivors(played, second).reason, kSecondSurvivors);
}

TEST(SurvivorsTest, RefusesOnesThatWouldAskForTheOtherKind) {
  PlayedCohort played({});
  played.Reveal();
  ConfirmInstruction second = played.ConfirmFor(kLiedTo);
  second.statuses[4] = MemberStatus::kDropped;
  const Refused refused = RefusedSurvivors(played, second);
  EXPECT_EQ(refused.reason, kOtherShareKind);
  EXPECT_THAT(refused.detail, HasSubstr("'store-00004'"));
}

// ---- Step 5.

Refused RefusedReveal(PlayedCohort& played, const UnmaskInstruction& asked) {
  const auto answer = played.member(kLiedTo).Reveal(asked, TrustInAll());
  AISLE_CHECK(std::holds_alternative<Refused>(answer), "it was believed");
  EXPECT_NE(played.member(kLiedTo).step(), MemberStep::kRevealed);
  return std::get<Refused>(answer);
}

TEST(RevealTest, RefusesBeforeAnythingIsConfirmed) {
  PlayedCohort played({});
  played.Collect();
  EXPECT_EQ(RefusedReveal(played, played.UnmaskFor(kLiedTo)).reason, kUnconfirmed);
}

TEST(RevealTest, RefusesOtherSurvivors) {
  PlayedCohort played({});
  played.Confirm();
  UnmaskInstruction asked = played.UnmaskFor(kLiedTo);
  asked.survivors = Sha256::Of("others");
  EXPECT_EQ(RefusedReveal(played, asked).reason, kSecondSurvivors);
}

TEST(RevealTest, CountsOnlyDistinctNeighboursThatSurvivedAndSigned) {
  const uint32_t dropped = 5;
  using Confirmations = std::vector<NeighbourConfirmation>;
  const auto threshold = [](const PlayedCohort& played) { return played.cohort().parameters().threshold; };
  const std::vector<std::pair<std::string, std::function<void(PlayedCohort&, Confirmations&)>>> forgeries = {
      {"one too few", [&](auto& played, auto& all) { all.resize(threshold(played) - 1); }},
      {"one of them twice",
       [&](auto& played, auto& all) {
         all.resize(threshold(played) - 1);
         all.push_back(all.back());
       }},
      {"one of them under another position",
       [&](auto& played, auto& all) {
         all.resize(threshold(played) - 1);
         all.push_back({.from = 4, .signature = all.back().signature});
       }},
      {"our own",
       [&](auto& played, auto& all) {
         all.resize(threshold(played) - 1);
         const auto own =
             Given(played.member(kLiedTo).Confirm(played.ConfirmFor(kLiedTo), played.credentials(kLiedTo)));
         all.push_back({.from = kLiedTo, .signature = own.signature});
       }},
      {"a drop-out's",
       [&](auto& played, auto& all) {
         all.resize(threshold(played) - 1);
         const std::string statement =
             SurvivorsStatement(played.cohort().name(), SurvivorsRoot(played.transcript().statuses));
         all.push_back({.from = dropped,
                        .signature = SignAs(CertificateOf(StoreNumbered(dropped)), kSurvivorsDomain, statement)});
       }},
      {"one forged",
       [&](auto& played, auto& all) {
         all.resize(threshold(played));
         all.back().signature[0] ^= 1;
       }},
  };
  for (const auto& [name, forge] : forgeries) {
    PlayedCohort played({.dropout_permille = 300, .dropped = {dropped}});
    played.Confirm();
    UnmaskInstruction asked = played.UnmaskFor(kLiedTo);
    ASSERT_GE(asked.confirmations.size(), threshold(played));
    forge(played, asked.confirmations);
    EXPECT_EQ(RefusedReveal(played, asked).reason, kUnconfirmed) << name;
    played.Reveal();
  }
}

}  // namespace
}  // namespace aisle::secagg
