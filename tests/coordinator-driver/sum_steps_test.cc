// Single moments of the secure sum at a whole coordinator: what it writes down, whom it tells what, and when.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/identity/statement.h"
#include "privacy/secagg/statements.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-driver/headquarters.h"

namespace aisle::test {
namespace {

constexpr int kStores = 5;  // Three neighbours rebuild a secret.

class SumStepsTest : public ::testing::Test {
 protected:
  SumStepsTest() {
    for (int i = 1; i <= kStores; ++i) {
      stores_.push_back(std::make_unique<ScriptedStore>(headquarters_, fmt::format("s{}", i)));
      stores_.back()->value = 1000 * i;
      stores_.back()->secure_sum = true;
      stores_.back()->cohort_min = 3;
      stores_.back()->CheckIn();
    }
    const Submission demand =
        headquarters_.PlanFor("demand", 1, {.cohort_min = 3, .cohort_target = kStores, .secure_sum = true});
    EXPECT_TRUE(headquarters_.Submit(demand).ok());
  }
  ScriptedStore& Store(int number) { return *stores_[static_cast<size_t>(number - 1)]; }
  // Everybody but the silent acts in turn, until the job's latest round is in this phase.
  void PlayUntil(RoundPhase phase) {
    for (int turn = 0; turn < 300 && Latest().phase != phase; ++turn) {
      for (int i = 1; i <= kStores && Latest().phase != phase; ++i) {
        if (!silent_.contains(i)) Store(i).Step();
      }
      headquarters_.Advance(absl::Milliseconds(700));
    }
    ASSERT_EQ(Latest().phase, phase);
  }
  // As it is this moment, and as `aisle round show` has it.
  RoundRecord Latest() {
    RoundRecord record;
    headquarters_.coordinator().Read([&](const Coordinator& coordinator) {
      const auto job = coordinator.jobs().find(*JobId::Parse("demand"));
      if (job != coordinator.jobs().end() && job->second.round) record = job->second.round->Record();
    });
    headquarters_.Advance();
    const std::vector<RoundRecord> kept = headquarters_.Rounds("demand");
    return record.id.number == 0 && !kept.empty() ? kept.back() : record;
  }
  size_t JournalSize() { return headquarters_.state().ReadJournal(Latest().id)->size(); }
  // What the store would say now; it isn't said.
  SumReport Unsaid(int number) {
    SumReport honest;
    Store(number).tamper = [&](const Instruction&, SumReport& report) {
      honest = report;
      report.attempt = kCohortAttemptsMax;  // Refused: no such attempt goes on.
    };
    Store(number).Step();
    Store(number).tamper = nullptr;
    return honest;
  }

  Headquarters headquarters_;
  std::vector<std::unique_ptr<ScriptedStore>> stores_;
  std::set<int> silent_;
};

TEST_F(SumStepsTest, WhatIsSaidAgainIsNotWrittenDownAgain) {
  const ExpectCover cover("round.repeat_not_journalled");
  std::vector<SumReport> said;
  for (int i = 1; i <= kStores; ++i) {
    Store(i).tamper = [&, i](const Instruction&, SumReport& report) {
      if (i == 2) said.push_back(report);
    };
  }
  for (const RoundPhase phase :
       {RoundPhase::kSharing, RoundPhase::kCollecting, RoundPhase::kUnmasking, RoundPhase::kCommitted}) {
    PlayUntil(phase);
    if (phase == RoundPhase::kCommitted) break;
    const size_t before = JournalSize();
    for (int again = 0; again < 50; ++again) {
      const Status status = Store(2).Say(said.back());
      EXPECT_TRUE(status.ok()) << MessageOf(status);
      EXPECT_TRUE(Store(2).Report(said.back().round, Store(2).value).ok()) << "it has trained, as it said before";
    }
    EXPECT_EQ(JournalSize(), before) << NameOf(phase);
  }
  EXPECT_EQ(headquarters_.Models("demand").size(), 1U);
}

// Deterministic signatures aren't asked for: another signature over the same is the same thing said.
TEST_F(SumStepsTest, AnotherSignatureOverTheSameIsARepeat) {
  SumReport confirmed;
  CohortTerms terms;
  Store(2).tamper = [&](const Instruction&, SumReport& report) {
    if (std::holds_alternative<Confirmation>(report.message)) confirmed = report;
  };
  PlayUntil(RoundPhase::kConfirming);
  while (confirmed.round.number == 0) Store(2).Step();
  ASSERT_EQ(Latest().phase, RoundPhase::kConfirming);
  const size_t before = JournalSize();
  std::optional<secagg::CohortName> name;
  headquarters_.coordinator().Read([&](const Coordinator& coordinator) {
    name = CohortOf(coordinator.jobs().begin()->second.round->machine().phase())->name();
  });
  headquarters_.Advance();
  auto& confirmation = std::get<Confirmation>(confirmed.message);
  const std::string first = confirmation.signature;
  confirmation.signature =
      SignStatement(Store(2).key(), secagg::kSurvivorsDomain, secagg::SurvivorsStatement(*name, confirmation.survivors))
          .value();
  ASSERT_NE(confirmation.signature, first);
  EXPECT_TRUE(Store(2).Say(confirmed).ok());
  EXPECT_EQ(JournalSize(), before);
}

TEST_F(SumStepsTest, AnAdvertMadeBeforeTheCertificateWasRenewedIsTakenAndMayBeRepeated) {
  PlayUntil(RoundPhase::kAdvertising);
  const SumReport report = Unsaid(2);
  const std::string shown = std::get<Advert>(report.message).certificate_pem;
  Store(2).Renew();
  ASSERT_NE(Store(2).certificate().pem(), shown);
  for (int again = 0; again < 3; ++again) {
    const Status said = Store(2).Say(report);
    EXPECT_TRUE(said.ok()) << MessageOf(said);
  }
  PlayUntil(RoundPhase::kCommitted);
  EXPECT_EQ(Latest().stores_collected, 5U);
}

TEST_F(SumStepsTest, ProgressAndWhoIsWaitedForAreShownWithinAStep) {
  PlayUntil(RoundPhase::kAdvertising);
  const auto shown = [&] {
    const RoundRecord round = Latest();
    return fmt::format("{}/{} {}", round.stores_stepped, round.stores_asked, round.stores.at(4).detail);
  };
  EXPECT_EQ(shown(), "0/5 its keys are awaited");
  Store(1).Step();
  EXPECT_EQ(shown(), "1/5 its keys are awaited");
  PlayUntil(RoundPhase::kSharing);
  Store(5).Step();
  EXPECT_EQ(shown(), "1/5 ");
  PlayUntil(RoundPhase::kConfirming);
  EXPECT_EQ(shown(), "0/5 its signature is awaited");
  PlayUntil(RoundPhase::kCommitted);
  EXPECT_EQ(shown(), "0/0 ");
}

// Nothing is told of what isn't on the disk: a store pins what it is told for ever.
TEST_F(SumStepsTest, TheNextStepIsAskedForOnlyOnceTheOneBeforeIsDurable) {
  PlayUntil(RoundPhase::kAdvertising);
  for (int i = 1; i < kStores; ++i) Store(i).Step();
  const SumReport last = Unsaid(5);
  Store(1).CheckIn(StoreStanding::kTrained, last.round);
  ASSERT_FALSE(Store(1).answer().has_value()) << "it waits";
  headquarters_.state().FailCommits(Unavailable("the disk is full"));
  EXPECT_EQ(Store(5).Say(last).code(), StatusCode::kUnavailable);
  EXPECT_EQ(Store(1).Got<ShareInstruction>(), nullptr);
  headquarters_.Advance(absl::Seconds(30));
  EXPECT_EQ(Latest().phase, RoundPhase::kAdvertising);
  Store(1).CheckIn(StoreStanding::kTrained, last.round);
  EXPECT_EQ(Store(1).Got<ShareInstruction>(), nullptr);
  EXPECT_TRUE(Store(5).Say(last).ok());
  EXPECT_NE(Store(1).Got<ShareInstruction>(), nullptr);
}

// The roster of an attempt that is over was signed, too; nobody is ever shown it with the next cohort's neighbours.
TEST_F(SumStepsTest, InTheSecondAttemptNobodySeesTheFirstOnesRoster) {
  PlayUntil(RoundPhase::kSharing);
  silent_ = {4, 5};  // Three of five deal: each has two neighbours that did, and it takes three.
  Store(1).Step();
  ASSERT_NE(Store(1).Got<ShareInstruction>(), nullptr);
  const Digest first = Store(1).Got<ShareInstruction>()->roster.root;
  PlayUntil(RoundPhase::kAdvertising);
  Store(1).Step();
  const SumReport second = Unsaid(2);
  const SumReport third = Unsaid(3);
  ASSERT_EQ(third.attempt, 2U);
  // In one batch: an advert on its way to the disk, a store that asks what to do, the advert that ends the phase.
  Coordinator& coordinator = headquarters_.coordinator();
  const auto nothing = [](const Status& said) { EXPECT_TRUE(said.ok()) << MessageOf(said); };
  coordinator.TakeStep(Store(2).certificate(), second, nothing);
  std::optional<StatusOr<Instruction>> answer;
  coordinator.AnswerCheckIn(Store(1).certificate(), 1'000,
                            {.agent_version = "test",
                             .tables = Store(1).tables,
                             .willing = true,
                             .standing = StoreStanding::kTrained,
                             .round = third.round,
                             .wait_max = absl::Seconds(20),
                             .clock = headquarters_.executor().Now()},
                            [&](StatusOr<Coordinator::CheckInAnswered> answered) {
                              if (answered.ok()) answer = answered->instruction;
                            });
  coordinator.TakeStep(Store(3).certificate(), third, nothing);
  headquarters_.Advance();
  ASSERT_EQ(Latest().phase, RoundPhase::kSharing);
  ASSERT_TRUE(answer && answer->ok());
  const auto* share = std::get_if<ShareInstruction>(&**answer);
  ASSERT_NE(share, nullptr);
  EXPECT_NE(share->roster.root, first);
  EXPECT_EQ(share->roster.size, 3U);
  EXPECT_EQ(share->own.advert.terms, share->roster.terms);
}

// Else its rounds would train, and abort when the cohort is formed.
TEST(SubmissionTest, AJobWhoseCohortsTakeTooManyNeighboursIsRefused) {
  Headquarters headquarters;
  int number = 0;
  const auto submit = [&](uint32_t largest, const char* shares, uint32_t cohort = 0) {
    Submission submission =
        headquarters.PlanFor(fmt::format("job-{}", ++number), 1,
                             {.cohort_min = 3, .cohort_target = largest, .secure_sum = true, .privacy = shares});
    submission.cohort_target = cohort;
    return headquarters.Submit(submission).status();
  };
  const char* const usual = "corrupt_share = 0.05\ndropout_share = 0.3";  // 314 neighbours at 1,000 stores.
  EXPECT_TRUE(submit(600, usual).ok());
  EXPECT_TRUE(submit(1000, usual, 600).ok()) << "the job asks for fewer";
  const Status refused = submit(1000, usual);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(MessageOf(refused)).find("the limit is 256"), std::string::npos) << MessageOf(refused);
  // 1,133 stores take 256; 1,110 take 258, since a colluder is rounded up.
  EXPECT_EQ(submit(1133, "corrupt_share = 0.02\ndropout_share = 0.3").code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(submit(1100, "corrupt_share = 0.02\ndropout_share = 0.3").ok());
}

// Ten thousand stores may make the others wait for minutes; not one that a round waits for.
TEST(WaitingTest, AStoreInARoundIsNeverSentAwayForLong) {
  CoordinatorPolicy policy;
  policy.pace = {.check_ins_per_second = 0.01, .come_back_min = absl::Minutes(5), .hold_max = absl::Seconds(5)};
  Headquarters headquarters(policy);
  ScriptedStore in_round(headquarters, "s1");
  ScriptedStore other(headquarters, "s2");
  in_round.CheckIn();
  ASSERT_TRUE(headquarters.Submit(headquarters.PlanFor("demand", 1)).ok());
  other.CheckIn();
  const RoundId round = headquarters.Rounds("demand").at(0).id;
  ASSERT_EQ(headquarters.Rounds("demand").at(0).phase, RoundPhase::kTraining);
  in_round.CheckIn(StoreStanding::kTraining, round);
  ScriptedStore idle(headquarters, "s3");
  idle.CheckIn();
  headquarters.Advance(absl::Seconds(6));
  ASSERT_NE(in_round.Got<ComeBack>(), nullptr);
  EXPECT_LE(in_round.Got<ComeBack>()->after, absl::Seconds(1));
  ASSERT_NE(idle.Got<ComeBack>(), nullptr);
  EXPECT_GE(idle.Got<ComeBack>()->after, absl::Minutes(2));
}

TEST_F(SumStepsTest, AStoreThatSpoiltTheSumIsLeftOutOfTheNextRoundAlsoAfterAPowerCut) {
  const ExpectCover cover("coordinator.store_left_out");
  Store(3).tamper = [&](const Instruction& instruction, SumReport& report) {
    auto* dealt = std::get_if<DealtShares>(&report.message);
    if (dealt == nullptr) return;
    const auto& asked = std::get<ShareInstruction>(instruction);
    dealt->seed_digest = Sha256::Of("another seed");
    dealt->signature = SignStatement(Store(3).key(), secagg::kDealtDomain,
                                     secagg::DealtStatement(secagg::NameOf(asked.roster), asked.own.position, *dealt))
                           .value();
  };
  PlayUntil(RoundPhase::kAborted);
  EXPECT_EQ(Latest().abort_reason.find("commit_failed: "), 0U) << Latest().abort_reason;
  headquarters_.Restart(true);
  const absl::Time before = headquarters_.executor().Now();
  PlayUntil(RoundPhase::kCommitted);
  EXPECT_LT(headquarters_.executor().Now() - before, absl::Seconds(20)) << "and isn't waited for";
  const RoundRecord round = headquarters_.Rounds("demand").at(1);
  EXPECT_GE(round.stores_collected, 3U);
  for (const StoreInRound& store : round.stores) EXPECT_NE(store.store, Store(3).id());
  EXPECT_EQ(headquarters_.state().FindStore(Store(3).id()).value()->last_refusal,
            "demand/1: share_wrong: it dealt shares of no secret");
}

}  // namespace
}  // namespace aisle::test
