// kill -9 between any two calls: the round goes on, and the model is the undisturbed run's, bit for bit.
#include <gtest/gtest.h>

#include "aggregation/weights.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-driver/headquarters.h"

namespace aisle::test {
namespace {

constexpr std::string_view kAdaptive = "optimizer = \"fedavg\"\n[privacy.adaptive_clip]\nquantile = 0.5\n";

constexpr std::string_view kAveraged = "optimizer = \"fedavg\"\naverage_rounds = 5";

// A mean and what training goes on from first differ after the second round, so it takes a third to tell them apart.
uint32_t RoundsFor(const std::string& server) { return server == kAveraged ? 3 : 2; }

// Three stores work through a job of two or three rounds. After `kill_after` steps (a step is one store's turn at one
// call) the coordinator dies, with or without the machine's power.
std::string RunKilled(int kill_after, bool power, const std::string& server, int* steps = nullptr) {
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= 3; ++i) {
    stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
    stores.back()->value = 1000 * i;
    stores.back()->metric_slots = server == kAdaptive ? 2 : 1;
  }
  const uint32_t rounds = RoundsFor(server);
  EXPECT_TRUE(headquarters.Submit(headquarters.PlanFor("demand", rounds, {.cohort_min = 3, .server = server})).ok());
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
  EXPECT_EQ(headquarters.Models("demand").size(), rounds) << "killed after step " << kill_after;
  return headquarters.LatestWeights("demand");
}

class RestartTest : public ::testing::TestWithParam<std::tuple<bool, std::string>> {};

TEST_P(RestartTest, EveryPhaseResumesWithTheSameModel) {
  const auto& [power, server] = GetParam();
  int steps = 0;
  const std::string undisturbed = RunKilled(-1, power, server, &steps);
  ASSERT_FALSE(undisturbed.empty());
  ASSERT_GT(steps, 12);
  for (int kill_after = 0; kill_after < steps; ++kill_after) {
    EXPECT_EQ(RunKilled(kill_after, power, server), undisturbed) << "killed after step " << kill_after;
  }
}

INSTANTIATE_TEST_SUITE_P(, RestartTest,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values("optimizer = \"fedavg\"", "optimizer = \"fedadam\"",
                                                              kAdaptive, kAveraged)),
                         [](const auto& test) {
                           const std::string& server = std::get<1>(test.param);
                           return std::string(std::get<0>(test.param) ? "PowerCut" : "Kill") +
                                  (server == kAdaptive                          ? "AdaptiveClip"
                                   : server == kAveraged                        ? "Averaged"
                                   : server.find("fedavg") != std::string::npos ? "FedAvg"
                                                                                : "FedAdam");
                         });

TEST(AdaptiveClipTest, EveryRoundIsToldItsClipAlsoAfterARestart) {
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= 3; ++i) {
    stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
    stores.back()->metric_slots = 2;
  }
  ASSERT_TRUE(
      headquarters.Submit(headquarters.PlanFor("demand", 3, {.cohort_min = 3, .server = std::string(kAdaptive)})).ok());
  std::map<uint32_t, double> told;
  for (int turn = 0; turn < 400 && !headquarters.Job("demand").ended_at; ++turn) {
    for (const auto& store : stores) {
      store->Step();
      if (const auto train = store->Got<TrainInstruction>()) told[train->round.number] = train->clip_norm;
    }
    if (turn == 3) headquarters.Restart(true);
    headquarters.Advance(absl::Milliseconds(700));
  }
  ASSERT_EQ(headquarters.Job("demand").state, JobState::kFinished);
  const std::vector<ModelRecord> models = headquarters.Models("demand");
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(told.begin()->second, 0) << "the first round has the plan's own";
  for (const auto& [round, clip] : told) {
    const auto made = std::ranges::find(models, round, [](const ModelRecord& model) { return model.round.number; });
    if (made == models.begin() || made == models.end()) continue;
    EXPECT_EQ(clip, std::prev(made)->clip_norm) << "round " << round;
    EXPECT_NE(clip, 0) << "round " << round;
  }
}

TEST(AveragingTest, PublishesTheMeanWhileTrainingGoesOnFromTheModelItself) {
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= 3; ++i) stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
  ASSERT_TRUE(
      headquarters.Submit(headquarters.PlanFor("demand", 4, {.cohort_min = 3, .server = std::string(kAveraged)})).ok());
  std::map<uint64_t, BlobName> told;  // What a round's stores were to start from.
  for (int turn = 0; turn < 400 && !headquarters.Job("demand").ended_at; ++turn) {
    for (const auto& store : stores) {
      store->value = 1000 * (turn % 7 + 1);
      store->Step();
      if (const auto train = store->Got<TrainInstruction>()) told[train->round.number] = train->weights;
    }
    if (turn == 5) headquarters.Restart(true);
    headquarters.Advance(absl::Milliseconds(700));
  }
  const std::vector<ModelRecord> models = headquarters.Models("demand");
  ASSERT_EQ(models.size(), 4U);
  const auto first_value = [&](const BlobName& name) {
    return DecodeWeights(headquarters.blobs().Read(name).value()).value().values.front();
  };
  double sum = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    const BlobName reached = models[i].reached.value_or(models[i].weights);
    sum += first_value(reached);
    EXPECT_NEAR(first_value(models[i].weights), sum / static_cast<double>(i + 1), 1e-6) << "version " << i + 1;
    EXPECT_EQ(models[i].weights == reached, i == 0) << "version " << i + 1;
    if (i + 1 == models.size()) break;
    EXPECT_EQ(told.at(models[i + 1].round.number), reached) << "version " << i + 1;
  }
}

TEST(RestartGraceTest, AStoreThatFindsARestartedCoordinatorAfterTheDeadlineIsStillInTheRound) {
  const test::ExpectCover cover("coordinator.round_resumed");
  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;
  for (int i = 1; i <= 3; ++i) {
    stores.push_back(std::make_unique<ScriptedStore>(headquarters, fmt::format("s{}", i)));
    stores.back()->CheckIn();
  }
  ASSERT_TRUE(headquarters.Submit(headquarters.PlanFor("demand", 1)).ok());
  const RoundId round = stores[0]->Got<TrainInstruction>()->round;
  headquarters.Restart();
  // The coordinator was away past the training deadline; time passes for the stores alone.
  headquarters.executor().DropAll();
  headquarters.Advance(absl::Minutes(11));
  headquarters.Restart();
  for (const auto& store : stores) EXPECT_TRUE(store->Report(round, 5).ok());
}

}  // namespace
}  // namespace aisle::test
