// Whole rounds with the secure sum in virtual time: a real coordinator, and stores that speak the real protocol.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "aggregation/weights.h"
#include "base/identity/statement.h"
#include "privacy/secagg/statements.h"
#include "tests/coordinator-driver/headquarters.h"

namespace aisle::test {
namespace {

constexpr int kCohort = 5;  // Three neighbours rebuild a secret: one of the five may be lost on the way.

class SecureRoundTest : public ::testing::Test {
 protected:
  SecureRoundTest() { Open(); }

  void Open(bool secure_sum = true) {
    for (int i = 1; i <= kCohort; ++i) {
      stores_.push_back(std::make_unique<ScriptedStore>(headquarters_, fmt::format("s{}", i)));
      stores_.back()->value = 1000 * i;
      stores_.back()->secure_sum = secure_sum;
      stores_.back()->cohort_min = 4;
      stores_.back()->CheckIn();  // Known to be there when the round opens, so that all are wanted.
    }
    const Status submitted =
        headquarters_
            .Submit(headquarters_.PlanFor("demand", 1,
                                          {.cohort_min = 4, .cohort_target = kCohort, .secure_sum = secure_sum}))
            .status();
    EXPECT_TRUE(submitted.ok()) << MessageOf(submitted);
  }
  // Everybody acts in turn, one call each, until the job is over. Who is `absent` does nothing.
  void PlayTurn() {
    for (int i = 1; i <= kCohort; ++i) {
      if (!absent_.contains(i)) stores_[static_cast<size_t>(i - 1)]->Step();
    }
    headquarters_.Advance(absl::Milliseconds(700));
  }
  void PlayUntil(RoundPhase phase) {
    for (int turn = 0; turn < 200 && PhaseNow() != phase; ++turn) PlayTurn();
    ASSERT_EQ(PhaseNow(), phase);
  }
  void PlayOut() {
    for (int turn = 0; turn < 600 && !FirstRound().closed_at; ++turn) PlayTurn();
  }
  RoundPhase PhaseNow() {
    const std::vector<RoundRecord> rounds = headquarters_.Rounds("demand");
    return rounds.empty() ? RoundPhase::kSelecting : rounds.front().phase;
  }
  RoundRecord FirstRound() { return headquarters_.Rounds("demand").at(0); }
  ScriptedStore& Store(int number) { return *stores_[static_cast<size_t>(number - 1)]; }
  double FirstWeight() { return DecodeWeights(headquarters_.LatestWeights("demand")).value().values.at(0); }
  // What the model is if exactly these stores' vectors are in the sum.
  static double WeightOf(const std::vector<int>& stores) {
    return 1000.0 * std::accumulate(stores.begin(), stores.end(), 0) / 65536 / kCohort;
  }

  Headquarters headquarters_;
  std::vector<std::unique_ptr<ScriptedStore>> stores_;
  std::set<int> absent_;
};

TEST_F(SecureRoundTest, CommitsTheSumOfAllAndShowsTheAggregateEpsilon) {
  PlayOut();
  ASSERT_EQ(headquarters_.Models("demand").size(), 1U);
  const ModelRecord model = headquarters_.Models("demand")[0];
  EXPECT_NEAR(FirstWeight(), WeightOf({1, 2, 3, 4, 5}), 1e-6);
  EXPECT_EQ(model.stores, 5U);
  EXPECT_LT(model.epsilon_aggregate, model.epsilon_floor) << "three honest stores' noise adds up";
  PlayTurn();
  EXPECT_EQ(Store(1).closed.at(0).outcome, RoundOutcome::kCommitted);
}

class LostStoreTest : public SecureRoundTest, public ::testing::WithParamInterface<std::tuple<RoundPhase, bool>> {};

TEST_P(LostStoreTest, OneStoreLostAtAnyStepCostsItsVectorAtMost) {
  const auto& [phase, killed] = GetParam();
  PlayUntil(phase);
  absent_ = {4};
  if (killed) headquarters_.Restart(true);
  PlayOut();
  ASSERT_EQ(headquarters_.Models("demand").size(), 1U) << FirstRound().abort_reason;
  const bool vector_is_in = phase == RoundPhase::kConfirming || phase == RoundPhase::kUnmasking;
  EXPECT_NEAR(FirstWeight(), vector_is_in ? WeightOf({1, 2, 3, 4, 5}) : WeightOf({1, 2, 3, 5}), 1e-6);
  const RoundRecord round = FirstRound();
  EXPECT_EQ(round.stores.at(3).detail.empty(), vector_is_in) << "it is said at which step it fell silent";
  EXPECT_EQ(round.stores.at(3).outcome, vector_is_in ? StoreOutcome::kCollected : StoreOutcome::kSilent);
}

INSTANTIATE_TEST_SUITE_P(, LostStoreTest,
                         ::testing::Combine(::testing::Values(RoundPhase::kAdvertising, RoundPhase::kSharing,
                                                              RoundPhase::kCollecting, RoundPhase::kConfirming,
                                                              RoundPhase::kUnmasking),
                                            ::testing::Bool()),
                         [](const auto& test) {
                           std::string name(NameOf(std::get<0>(test.param)));
                           name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
                           return name + (std::get<1>(test.param) ? "AndACoordinatorKilled" : "");
                         });

TEST_F(SecureRoundTest, TwoLostAfterDealingLeaveTheSumMasked) {
  PlayUntil(RoundPhase::kCollecting);
  absent_ = {1, 4};
  PlayOut();
  EXPECT_TRUE(headquarters_.Models("demand").empty());
  EXPECT_EQ(FirstRound().abort_reason.find("too_few_updates: "), 0U) << FirstRound().abort_reason;
}

TEST_F(SecureRoundTest, AMessageThatGotLostIsSaidAgainAndOneThatArrivedTwiceCountsOnce) {
  std::vector<SumReport> said;
  for (int i = 1; i <= kCohort; ++i) {
    Store(i).tamper = [&, i](const Instruction&, SumReport& report) {
      said.push_back(report);
      // It arrives, and the coordinator dies before anybody hears so.
      EXPECT_TRUE(Store(i).Say(report).ok());
      if (i == 3) headquarters_.Restart(true);
    };
  }
  PlayOut();
  ASSERT_EQ(headquarters_.Models("demand").size(), 1U);
  EXPECT_NEAR(FirstWeight(), WeightOf({1, 2, 3, 4, 5}), 1e-6);
  EXPECT_GE(said.size(), 4U * kCohort - 1);
}

TEST_F(SecureRoundTest, NothingIsBelievedThatTheStoreDidNotSign) {
  std::map<size_t, int> refused;
  Store(2).tamper = [&](const Instruction&, SumReport& report) {
    const SumReport honest = report;
    std::visit(
        [](auto& message) {
          if constexpr (requires { message.signature; })
            message.signature[10] = static_cast<char>(message.signature[10] ^ 1);
        },
        report.message);
    if (std::holds_alternative<RevealedShares>(report.message)) return;
    const Status status = Store(2).Say(report);
    EXPECT_EQ(status.code(), StatusCode::kUnauthenticated) << MessageOf(status);
    ++refused[report.message.index()];
    if (auto* advert = std::get_if<Advert>(&report.message)) {
      *advert = std::get<Advert>(honest.message);
      advert->certificate_pem = Store(1).certificate().pem();
      EXPECT_EQ(Store(2).Say(report).code(), StatusCode::kUnauthenticated) << "another store's certificate";
    }
    report = honest;
  };
  PlayOut();
  EXPECT_EQ(refused.size(), 3U) << "advert, dealt shares, confirmation";
  EXPECT_NEAR(FirstWeight(), WeightOf({1, 2, 3, 4, 5}), 1e-6) << "the round went on";
}

TEST_F(SecureRoundTest, AStoreThatDealtSharesOfAnotherSecretIsNamed) {
  Store(3).tamper = [&](const Instruction& instruction, SumReport& report) {
    auto* dealt = std::get_if<DealtShares>(&report.message);
    if (dealt == nullptr) return;
    const auto& asked = std::get<ShareInstruction>(instruction);
    dealt->seed_digest = Sha256::Of("another seed");
    dealt->signature = SignStatement(Store(3).key(), secagg::kDealtDomain,
                                     secagg::DealtStatement(secagg::NameOf(asked.roster), asked.own.position, *dealt))
                           .value();
  };
  PlayOut();
  EXPECT_TRUE(headquarters_.Models("demand").empty());
  EXPECT_EQ(FirstRound().abort_reason.find("commit_failed: "), 0U) << FirstRound().abort_reason;
  EXPECT_NE(FirstRound().abort_reason.find("s3"), std::string::npos) << FirstRound().abort_reason;
}

TEST_F(SecureRoundTest, ASurvivorThatRefusesIsShownAndItsVectorStaysIn) {
  PlayUntil(RoundPhase::kConfirming);
  EXPECT_TRUE(Store(5).Refuse(FirstRound().id, RefusalReason::kSurvivorsForged).ok());
  absent_ = {5};
  PlayOut();
  ASSERT_EQ(headquarters_.Models("demand").size(), 1U);
  EXPECT_NEAR(FirstWeight(), WeightOf({1, 2, 3, 4, 5}), 1e-6);
  EXPECT_EQ(FirstRound().stores.at(4).detail, "survivors_forged: scripted");
}

TEST(PlainRoundTest, ShowsTheFloorAsTheAggregateToo) {
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= 3; ++i) stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
  ASSERT_TRUE(headquarters.Submit(headquarters.PlanFor("demand", 1)).ok());
  for (int turn = 0; turn < 50 && headquarters.Models("demand").empty(); ++turn) {
    for (const auto& store : stores) store->Step();
    headquarters.Advance(absl::Milliseconds(700));
  }
  ASSERT_EQ(headquarters.Models("demand").size(), 1U);
  EXPECT_EQ(headquarters.Models("demand")[0].epsilon_aggregate, headquarters.Models("demand")[0].epsilon_floor);
}

// The weights after a job of two secure rounds whose coordinator dies before the step `kill_after`, with or without the
// machine's power. A step is one store's turn at one call.
std::string RunKilled(int kill_after, bool power, int* steps = nullptr) {
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= kCohort; ++i) {
    stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
    stores.back()->value = 1000 * i;
    stores.back()->secure_sum = true;
    stores.back()->cohort_min = 5;
  }
  EXPECT_TRUE(
      headquarters.Submit(headquarters.PlanFor("demand", 1, {.cohort_min = 5, .cohort_target = 5, .secure_sum = true}))
          .ok());
  int step = 0;
  for (int turn = 0; turn < 400 && !headquarters.Job("demand").ended_at; ++turn) {
    for (const auto& store : stores) {
      if (step++ == kill_after) headquarters.Restart(power);
      store->Step();
    }
    headquarters.Advance(absl::Milliseconds(700));
  }
  if (steps != nullptr) *steps = step;
  EXPECT_EQ(headquarters.Job("demand").state, JobState::kFinished) << "killed after step " << kill_after;
  EXPECT_EQ(headquarters.Rounds("demand").size(), 1U) << "killed after step " << kill_after;
  return headquarters.LatestWeights("demand");
}

class SecureRestartTest : public ::testing::TestWithParam<bool> {};

TEST_P(SecureRestartTest, EveryStepOfTheSumResumesTheSameCohortAndTheModelIsBitIdentical) {
  int steps = 0;
  const std::string undisturbed = RunKilled(-1, GetParam(), &steps);
  ASSERT_FALSE(undisturbed.empty());
  ASSERT_GT(steps, 30);
  for (int kill_after = 0; kill_after < steps; ++kill_after) {
    EXPECT_EQ(RunKilled(kill_after, GetParam()), undisturbed) << "killed after step " << kill_after;
  }
}

INSTANTIATE_TEST_SUITE_P(, SecureRestartTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "PowerCut" : "Kill"; });

}  // namespace
}  // namespace aisle::test
