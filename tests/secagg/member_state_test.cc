// What a store remembers: at every step, after every restart, it says one thing only.
#include "privacy/secagg/member_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/secagg/mac_chain.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

constexpr uint32_t kSelf = 2;
constexpr uint32_t kDropped = 4;

Play WithADropout() { return {.size = 8, .dropout_permille = 300, .absent = {0}, .dropped = {kDropped}}; }

Member Again(const Member& member) {
  auto again = Member::Decode(member.Encode().Reveal());
  AISLE_CHECK(again.ok(), "{}", MessageOf(again.status()));
  return *std::move(again);
}

// The cohort after each step, with the step that store 2 has then taken.
std::vector<std::pair<MemberStep, std::function<void(PlayedCohort&)>>> Steps() {
  return {{MemberStep::kAdvertised, [](PlayedCohort&) {}},
          {MemberStep::kDealt, [](PlayedCohort& played) { played.Deal(); }},
          {MemberStep::kMasked, [](PlayedCohort& played) { played.Collect(); }},
          {MemberStep::kConfirmed, [](PlayedCohort& played) { played.Confirm(); }},
          {MemberStep::kRevealed, [](PlayedCohort& played) { played.Reveal(); }}};
}

TEST(MemberStateTest, ReadsBackWhatItWroteAtEveryStep) {
  for (const auto& [step, take] : Steps()) {
    PlayedCohort played(WithADropout());
    take(played);
    const Member& member = played.member(kSelf);
    EXPECT_EQ(member.step(), step);
    const Member again = Again(member);
    EXPECT_EQ(again.step(), step);
    EXPECT_EQ(again.masked(), step >= MemberStep::kMasked);
    EXPECT_EQ(again.terms(), member.terms());
    EXPECT_EQ(again.advert(), member.advert());
    EXPECT_EQ(again.Encode().Reveal(), member.Encode().Reveal());
  }
}

TEST(MemberStateTest, SaysTheSameThingHoweverOftenItRestarts) {
  PlayedCohort played(WithADropout());
  played.Reveal();
  const Transcript& said = played.transcript();
  Member late = Again(played.member(kSelf));  // At its last step it repeats every one before.
  EXPECT_EQ(Given(late.Share(played.ShareFor(kSelf), played.credentials(kSelf), TrustInAll())), said.dealt.at(kSelf));
  EXPECT_FALSE(late.Take(played.InboxFor(kSelf)).has_value());
  EXPECT_EQ(Given(late.Confirm(played.ConfirmFor(kSelf), played.credentials(kSelf))).survivors,
            SurvivorsRoot(said.statuses));
  EXPECT_EQ(Given<RevealedShares>(late.Reveal(played.UnmaskFor(kSelf), TrustInAll())), said.revealed.at(kSelf));
  std::vector<uint32_t> masked = played.VectorOf(kSelf);
  late.Mask(0, masked);
  EXPECT_EQ(masked, played.MaskedVectorOf(kSelf));
  EXPECT_EQ(late.Encode().Reveal(), played.member(kSelf).Encode().Reveal());
}

// ECDSA never signs the same way twice: a repeated message must carry the signature of the first.
TEST(MemberStateTest, RepeatsItsSignaturesRatherThanSignAgain) {
  PlayedCohort played({});
  played.Confirm();
  Credentials spent = played.credentials(kSelf);
  spent.sign = [](std::string_view, std::string_view) -> StatusOr<std::string> { return Internal("it signs again"); };
  EXPECT_TRUE(played.member(kSelf).Share(played.ShareFor(kSelf), spent, TrustInAll()).ok());
  EXPECT_TRUE(played.member(kSelf).Confirm(played.ConfirmFor(kSelf), spent).ok());
}

TEST(MemberStateTest, AKeyThatDoesntSignChangesNothing) {
  PlayedCohort played({});
  Credentials broken = played.credentials(kSelf);
  broken.sign = [](std::string_view, std::string_view) -> StatusOr<std::string> { return Unavailable("no key"); };
  Member& member = played.member(kSelf);
  EXPECT_EQ(member.Share(played.ShareFor(kSelf), broken, TrustInAll()).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(member.step(), MemberStep::kAdvertised);
  played.Collect();
  EXPECT_EQ(member.Confirm(played.ConfirmFor(kSelf), broken).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(member.step(), MemberStep::kMasked);
  played.Reveal();
}

// The law that everything hangs on. From each durable state, in each order, headquarters asks for all it can think of,
// with and without restarts: of no neighbour do both kinds ever come out.
TEST(MemberStateTest, NeverGivesBothKindsOfANeighbour) {
  PlayedCohort played(WithADropout());
  played.Reveal();
  PlayedCohort collected(WithADropout());
  collected.Collect();
  const ConfirmInstruction honest = played.ConfirmFor(kSelf);
  std::vector<ConfirmInstruction> lies(3, honest);
  lies[0].statuses[kDropped] = MemberStatus::kSurvived;
  lies[1].statuses[5] = MemberStatus::kDropped;
  lies[2].statuses[3] = MemberStatus::kAbsent;
  std::vector<ConfirmInstruction> confirms = lies;
  confirms.push_back(honest);
  // Confirmations of every set of statuses, signed by everybody: the worst that colluders could bring.
  const auto unmask_for = [&](const ConfirmInstruction& asked) {
    UnmaskInstruction instruction = played.UnmaskFor(kSelf);
    instruction.survivors = SurvivorsRoot(asked.statuses);
    instruction.confirmations.clear();
    for (uint32_t position = 0; position < 8; ++position) {
      instruction.confirmations.push_back(
          {.from = position,
           .signature = SignAs(CertificateOf(StoreNumbered(position)), kSurvivorsDomain,
                               SurvivorsStatement(played.cohort().name(), instruction.survivors))});
    }
    return instruction;
  };
  AesCtrStream random(SecretBytes(32), "test/orders");
  size_t revealed_runs = 0;
  for (int run = 0; run < 200; ++run) {
    Member member = Again(collected.member(kSelf));
    std::map<uint32_t, std::set<ShareKind>> kinds;
    for (int turn = 0; turn < 30; ++turn) {
      const ConfirmInstruction& asked = confirms[random.Below(confirms.size())];
      if (random.Below(2) == 0) {
        (void)member.Confirm(asked, played.credentials(kSelf));
      } else if (const auto answer = member.Reveal(unmask_for(asked), TrustInAll());
                 std::holds_alternative<RevealedShares>(answer)) {
        for (const RevealedShare& share : std::get<RevealedShares>(answer).shares) kinds[share.of].insert(share.kind);
      }
      if (random.Below(3) == 0) member = Again(member);
    }
    revealed_runs += kinds.empty() ? 0 : 1;
    for (const auto& [of, given] : kinds) EXPECT_EQ(given.size(), 1u) << "of position " << of << " in run " << run;
  }
  EXPECT_GT(revealed_runs, 100u);  // It isn't a law about nothing.
}

TEST(MemberStateTest, TheKindsGivenAreInTheRecord) {
  PlayedCohort played(WithADropout());
  played.Reveal();
  const auto state = MemberState::Decode(played.member(kSelf).Encode().Reveal());
  ASSERT_TRUE(state.ok() && state->given.has_value());
  EXPECT_EQ(*state->given, (std::vector<std::optional<ShareKind>>{std::nullopt, ShareKind::kSeed, ShareKind::kSeed,
                                                                  ShareKind::kMaskKey, ShareKind::kSeed,
                                                                  ShareKind::kSeed, ShareKind::kSeed}));
}

TEST(MemberStateTest, NoticesEveryDamagedByte) {
  PlayedCohort played(WithADropout());
  played.Reveal();
  const SecretBytes bytes = played.member(kSelf).Encode();
  for (size_t at = 0; at < bytes.size(); ++at) {
    SecretBytes damaged = bytes.Clone();
    damaged.Mutable()[at] ^= 1;
    EXPECT_EQ(Member::Decode(damaged.Reveal()).status().code(), StatusCode::kDataLoss) << at;
  }
  for (const size_t size : {size_t{0}, size_t{31}, size_t{32}, bytes.size() - 1}) {
    EXPECT_EQ(Member::Decode(bytes.Reveal().substr(0, size)).status().code(), StatusCode::kDataLoss) << size;
  }
}

// Somebody who can write the record, checksum and all, still can't make it contradict itself.
TEST(MemberStateTest, RefusesARecordThatContradictsItself) {
  PlayedCohort played(WithADropout());
  played.Reveal();
  const auto damaged = [&](const std::function<void(MemberState&)>& change) {
    auto state = MemberState::Decode(played.member(kSelf).Encode().Reveal());
    change(*state);
    return MemberState::Decode(state->Encode().Reveal()).status().code();
  };
  EXPECT_EQ(damaged([](MemberState&) {}), StatusCode::kOk);
  EXPECT_EQ(damaged([](MemberState& state) { (*state.given)[1] = ShareKind::kMaskKey; }), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { (*state.given)[0] = ShareKind::kSeed; }), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { state.survivors->neighbours[3] = MemberStatus::kAbsent; }),
            StatusCode::kDataLoss);
  const auto never_came = [](MemberState& state) {
    state.inbox->held[3].reset();
    state.inbox->dealt[3] = false;
  };
  EXPECT_EQ(damaged(never_came), StatusCode::kDataLoss) << "it is said to have survived";
  const auto hardly_any_right = [](MemberState& state) {
    for (auto& held : state.inbox->held) held.reset();
  };
  EXPECT_EQ(damaged(hardly_any_right), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { state.roster->parameters.threshold = 1; }), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { state.roster->parameters.threshold = 8; }), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { state.roster->position = 8; }), StatusCode::kDataLoss);
  EXPECT_EQ(damaged([](MemberState& state) { std::swap(state.roster->neighbours[0], state.roster->neighbours[1]); }),
            StatusCode::kDataLoss);
}

TEST(MemberStateTest, JoinsOnNoTermsOutOfRange) {
  AesCtrStream random(SecretBytes(32), "test/join");
  const auto join = [&](const std::function<void(CohortTerms&)>& change) {
    CohortTerms terms = TermsOf({});
    change(terms);
    return Member::Join(terms, 3, StoreNumbered(1), CredentialsOf(StoreNumbered(1)), random).status().code();
  };
  EXPECT_EQ(join([](CohortTerms&) {}), StatusCode::kOk);
  EXPECT_EQ(join([](CohortTerms& terms) { terms.attempt = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(join([](CohortTerms& terms) { terms.attempt = kCohortAttemptsMax + 1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(join([](CohortTerms& terms) { terms.cohort_min = 1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(join([](CohortTerms& terms) { terms.length = 0; }), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle::secagg
