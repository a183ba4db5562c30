#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

TEST(UnmaskingTest, EndsAsSoonAsEverySecretCanBeRebuiltAndTheSumIsTheSurvivorsBitForBit) {
  SumWalk walk;
  walk.ToCollecting();
  walk.silent = {3};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload).All(PhaseName::kConfirming, &SumWalk::Confirm);
  ASSERT_EQ(walk.phase(), PhaseName::kUnmasking);
  std::map<int, RevealedShares> shares;
  for (int i = 1; i <= 8; ++i) {
    if (i != 3) shares[i] = walk.RevealedOf(i);
  }
  std::vector<int> asked;
  for (const auto& [store, revealed] : shares) {
    if (walk.phase() != PhaseName::kUnmasking) break;
    ASSERT_TRUE(walk.Step(store, revealed).ok());
    asked.push_back(store);
  }
  ASSERT_EQ(walk.phase(), PhaseName::kCommitting);
  EXPECT_EQ(asked.size(), 6U) << "five shares of each secret, and nobody holds one of its own";
  const ApplySum apply = Only<ApplySum>(walk.latest).at(0);
  EXPECT_EQ(apply.survivors.size(), 7U);
  EXPECT_EQ(walk.UnmaskedSum(apply), walk.PlainSum(apply.survivors));
  EXPECT_TRUE(walk.Step(8, shares[8]).ok()) << "a share more than needed is no mistake";
  EXPECT_EQ(walk.Step(3, shares[8]).code(), StatusCode::kFailedPrecondition) << "of a drop-out it is";
}

TEST(UnmaskingTest, AWrongShareIsRefusedNamingWhatIsWrongAndTheRoundGoesOn) {
  SumWalk walk;
  walk.ToUnmasking();
  const RevealedShares good = walk.RevealedOf(1);
  RevealedShares wrong = good;
  wrong.shares[0].share[0] = static_cast<char>(wrong.shares[0].share[0] ^ 1);
  const Status refused = walk.Step(1, wrong);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(refused).find("s001"), std::string_view::npos) << MessageOf(refused);
  RevealedShares other_kind = good;
  other_kind.shares[0].kind = ShareKind::kMaskKey;
  EXPECT_EQ(walk.Step(1, other_kind).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(walk.phase(), PhaseName::kUnmasking);
  ASSERT_TRUE(walk.Step(1, good).ok());
  EXPECT_TRUE(walk.Step(1, good).ok()) << "a repeat changes nothing";
  EXPECT_EQ(walk.Step(1, wrong).code(), StatusCode::kFailedPrecondition);
}

// Eight stores: seven neighbours, of whom five rebuild a secret.
TEST(UnmaskingTest, ADealerWhoseSharesAreWrongForAFewIsNamedAndTheRoundGoesOn) {
  SumWalk walk;
  walk.spoilt = {{3, 1}, {3, 5}, {6, 2}};
  walk.ToCommitting();
  ASSERT_EQ(walk.phase(), PhaseName::kCommitting);
  const ApplySum apply = Only<ApplySum>(walk.latest).at(0);
  EXPECT_EQ(apply.survivors.size(), 8U);
  EXPECT_EQ(walk.UnmaskedSum(apply), walk.PlainSum(apply.survivors));
  EXPECT_EQ(DetailOf(walk.SeatOf(6)), "share_wrong: what it dealt to 1 of its 7 neighbours was wrong, as they say");
  EXPECT_EQ(DetailOf(walk.SeatOf(1)), "");
  EXPECT_EQ(DetailOf(walk.SeatOf(3)), "share_wrong: what it dealt to 2 of its 7 neighbours was wrong, as they say");
  EXPECT_TRUE(Only<Distrust>(walk.latest).empty()) << "so few may lie for headquarters";
}

TEST(UnmaskingTest, ADealerWhoseSharesAreWrongForManyEndsTheRoundAndIsNamed) {
  SumWalk walk;
  walk.spoilt = {{3, 1}, {3, 2}, {3, 4}};
  walk.ToUnmasking().All(PhaseName::kUnmasking, &SumWalk::Reveal);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewRevealed);
  EXPECT_NE(walk.aborted().explanation.find("s003: what it dealt to 3 of its 7 neighbours was wrong, as they say"),
            std::string::npos)
      << walk.aborted().explanation;
  ASSERT_EQ(Only<Distrust>(walk.latest).size(), 1U);
  EXPECT_EQ(Only<Distrust>(walk.latest)[0].store, Store(3));
}

TEST(CommittingTest, WhoDealtSharesOfNoSecretIsDistrusted) {
  SumWalk walk;
  walk.ToCommitting();
  ASSERT_TRUE(walk.Say(CommitFailed{.explanation = "no secret", .at_fault = {Store(2)}}).ok());
  EXPECT_EQ(walk.aborted().reason, AbortReason::kCommitFailed);
  ASSERT_EQ(Only<Distrust>(walk.latest).size(), 1U);
  EXPECT_EQ(Only<Distrust>(walk.latest)[0].store, Store(2));
}

TEST(SumDutiesTest, ProgressCountsWhoTookTheStepOfThoseAsked) {
  SumWalk walk;
  const auto progress = [&] {
    const auto now = walk.round.Progress();
    return now ? fmt::format("{}/{}", now->taken, now->asked) : "none";
  };
  EXPECT_EQ(progress(), "none");
  walk.ToAdvertising();
  EXPECT_EQ(progress(), "0/8");
  ASSERT_TRUE(walk.Advertise(1).ok());
  EXPECT_EQ(progress(), "1/8");
  EXPECT_FALSE(walk.round.Owes(Store(1)));
  EXPECT_TRUE(walk.round.Owes(Store(2)));
  ASSERT_TRUE(walk.Leave(2).ok());
  EXPECT_EQ(progress(), "1/7");
  walk.All(PhaseName::kAdvertising, &SumWalk::Advertise);
  EXPECT_EQ(progress(), "0/7");
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  EXPECT_EQ(progress(), "0/7");
  ASSERT_TRUE(walk.Upload(3).ok());
  EXPECT_EQ(progress(), "1/7");
  EXPECT_TRUE(walk.round.Owes(Store(4)));
  EXPECT_FALSE(walk.round.Owes(Store(3)));
  walk.silent = {8};
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  EXPECT_EQ(progress(), "0/6");
  walk.All(PhaseName::kConfirming, &SumWalk::Confirm);
  EXPECT_EQ(progress(), "0/6");
  EXPECT_FALSE(walk.round.Owes(Store(8)));
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  EXPECT_EQ(progress(), "none");
}

TEST(UnmaskingTest, SilenceUntilTheDeadlineLeavesTheSumMasked) {
  const ExpectCover cover("round.aborted_too_few_revealed");
  SumWalk walk;
  walk.ToUnmasking();
  walk.silent = {2, 5, 7};
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewRevealed);
  EXPECT_NE(walk.aborted().explanation.find("s002 and 2 others"), std::string::npos) << walk.aborted().explanation;
}

TEST(UnmaskingTest, WhenNobodyIsLeftToWaitForTheRoundEndsBeforeItsDeadline) {
  SumWalk walk;
  walk.ToUnmasking();
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(walk.Reveal(i).ok());
  for (int i = 5; i <= 8; ++i) ASSERT_TRUE(walk.Leave(i).ok());
  EXPECT_EQ(walk.aborted().reason, AbortReason::kTooFewRevealed);
}

TEST(SumDutiesTest, CancellingEndsEveryStepOfTheSum) {
  for (const auto& walk_to : {+[](SumWalk& walk) { walk.ToAdvertising(); }, +[](SumWalk& walk) { walk.ToSharing(); },
                              +[](SumWalk& walk) { walk.ToCollecting(); }, +[](SumWalk& walk) { walk.ToConfirming(); },
                              +[](SumWalk& walk) { walk.ToUnmasking(); }}) {
    SumWalk walk;
    walk_to(walk);
    ASSERT_TRUE(walk.Say(RoundCancelled{"no longer wanted"}).ok());
    EXPECT_EQ(walk.aborted().reason, AbortReason::kCancelled);
    EXPECT_TRUE(std::holds_alternative<CloseRound>(walk.latest.back()));
  }
}

TEST(SumReplayTest, ACoordinatorKilledAfterAnyEventFindsTheVerySameCohort) {
  SumWalk walk;
  walk.ToSharing();
  walk.silent = {2, 3, 4};
  walk.All(PhaseName::kSharing, &SumWalk::Deal).All(PhaseName::kAdvertising, &SumWalk::Advertise);
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  walk.silent.insert(8);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload).All(PhaseName::kConfirming, &SumWalk::Confirm);
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  ASSERT_EQ(walk.phase(), PhaseName::kCommitting);
  RoundMachine lived(walk.round.id(), walk.round.policy(), 42, kOpened);
  for (size_t events = 0; events < walk.journal().size(); ++events) {
    EXPECT_EQ(walk.Replayed(events).phase(), lived.phase()) << "after " << events << " events";
    lived.Handle(walk.journal()[events].first, walk.journal()[events].second);
  }
  const auto& committing = std::get<Committing>(lived.phase());
  const ApplySum apply{.survivors = committing.roster.StoresWith<GaveUpdate>(), .transcript = committing.transcript};
  EXPECT_EQ(walk.UnmaskedSum(apply), walk.PlainSum(apply.survivors));
}

// Whoever falls silent or refuses at whatever step: the round ends, and if it commits, then with exactly the survivors'
// sum, of a smallest cohort at least.
RC_GTEST_PROP(SumLaws, AnyDropOutsCommitTheSurvivorsSumOrAbort,
              (const std::vector<std::pair<uint8_t, uint8_t>>& losses)) {
  SumWalk walk;
  walk.ToAdvertising();
  const auto lose = [&](uint8_t step) {
    for (const auto& [when, who] : losses) {
      const int store = who % 8 + 1;
      if (when % 10 / 2 != step || IsClosed(walk.round.phase())) continue;
      if (when % 2 == 0)
        walk.silent.insert(store);
      else
        (void)walk.Leave(store);
    }
  };
  lose(0);
  walk.All(PhaseName::kAdvertising, &SumWalk::Advertise);
  lose(1);
  for (int attempt = 0; attempt < 2; ++attempt) {
    walk.All(PhaseName::kSharing, &SumWalk::Deal).All(PhaseName::kAdvertising, &SumWalk::Advertise);
  }
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  lose(2);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload);
  lose(3);
  walk.All(PhaseName::kConfirming, &SumWalk::Confirm);
  lose(4);
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  if (const auto* committing = std::get_if<Committing>(&walk.round.phase())) {
    const ApplySum apply{.survivors = committing->roster.StoresWith<GaveUpdate>(),
                         .transcript = committing->transcript};
    RC_ASSERT(apply.survivors.size() >= walk.round.policy().cohort_min);
    RC_ASSERT(walk.UnmaskedSum(apply) == walk.PlainSum(apply.survivors));
  } else {
    RC_ASSERT(std::holds_alternative<Aborted>(walk.round.phase()));
    RC_ASSERT(!walk.aborted().explanation.empty());
  }
  RC_ASSERT(walk.Replayed(walk.journal().size()).phase() == walk.round.phase());
}

}  // namespace
}  // namespace aisle::test
