// A training that goes on from a checkpoint, on another worker, gives what it would have given: bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "plans/initial_weights.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

// Puts pieces together as whoever keeps them must.
struct KeptCheckpoints {
  std::vector<std::string> whole;
  std::string open;
  bool in_order = true;

  void Add(const v1::Checkpoint& piece) {
    if (piece.offset_bytes() == 0) open.clear();
    in_order = in_order && piece.offset_bytes() == open.size();
    open += piece.piece();
    if (piece.last()) whole.push_back(std::exchange(open, ""));
  }
};

WorkerOutcome RunKeeping(WorkerProcess& worker, const v1::WorkerRequest& request, KeptCheckpoints& kept,
                         std::stop_token stop = {}, const WorkerProcess::OnProgress& on_progress = {}) {
  return worker.Run(request, RoomyLimits(), on_progress, std::move(stop),
                    [&](const v1::Checkpoint& piece) { kept.Add(piece); });
}

// What must not depend on where a training was interrupted.
std::string GistOf(v1::TrainResult result) {
  result.clear_seconds_to_first_batch();
  result.clear_seconds_training();
  return result.SerializeAsString();
}

// All checkpoints of one training, each gone on from on a worker that never saw the ones before.
void ExpectTheSameFromEveryCheckpoint(v1::WorkerRequest request, size_t checkpoints) {
  static const std::unique_ptr<WorkerProcess> first = StartWorker();
  static const std::unique_ptr<WorkerProcess> second = StartWorker();
  const WorkerOutcome undisturbed = first->Run(request, RoomyLimits());
  ASSERT_TRUE(undisturbed.ok()) << undisturbed.detail;
  request.mutable_train()->set_checkpoint_ms(0);
  KeptCheckpoints kept;
  const WorkerOutcome watched = RunKeeping(*first, request, kept);
  ASSERT_TRUE(watched.ok()) << watched.detail;
  EXPECT_EQ(GistOf(watched.reply.trained()), GistOf(undisturbed.reply.trained())) << "checkpoints change nothing";
  EXPECT_TRUE(kept.in_order);
  EXPECT_EQ(kept.whole.size(), checkpoints);
  const size_t stride = std::max<size_t>(1, kept.whole.size() / 5);
  for (size_t i = 0; i < kept.whole.size(); i += stride) {
    request.mutable_train()->set_resume(kept.whole[i]);
    KeptCheckpoints rest;
    const WorkerOutcome resumed = RunKeeping(*second, request, rest);
    ASSERT_TRUE(resumed.ok()) << i << ": " << resumed.detail;
    EXPECT_EQ(GistOf(resumed.reply.trained()), GistOf(undisturbed.reply.trained())) << "from checkpoint " << i;
    EXPECT_EQ(rest.whole.size(), kept.whole.size() - i - 1) << "the steps before are not made again";
    EXPECT_EQ(rest.whole.empty() ? "" : rest.whole.back(), rest.whole.empty() ? "" : kept.whole.back());
  }
}

struct LocalCase {
  std::string name;
  std::string training;
  std::string loss = "";
};
class LocalCheckpointTest : public ::testing::TestWithParam<LocalCase> {};

TEST_P(LocalCheckpointTest, GoesOnBitForBit) {
  LinePlan plan;
  plan.training = GetParam().training + "\nepochs = 4\nbatch_size = 16";
  if (!GetParam().loss.empty()) plan.loss = GetParam().loss;
  ExpectTheSameFromEveryCheckpoint(TrainRequest(plan), 4 * 6);  // 90 examples, 16 at a time.
}

INSTANTIATE_TEST_SUITE_P(
    , LocalCheckpointTest,
    ::testing::Values(LocalCase{"Sgd", "optimizer = \"sgd\"\nlearning_rate = 0.1"},
                      LocalCase{"Momentum", "optimizer = \"sgd\"\nlearning_rate = 0.1\nmomentum = 0.9"},
                      LocalCase{"Adam", "optimizer = \"adam\"\nlearning_rate = 0.05\nweight_decay = 0.01"},
                      LocalCase{"Dropout", "optimizer = \"sgd\"\nlearning_rate = 0.1", R"(
    return torch.square(torch.dropout(batch["x"], 0.5, self.training) * self.slope + self.offset - batch["y"]))"}),
    [](const auto& test) { return test.param.name; });

TEST(CheckpointTest, NoneIsMadeUnlessAskedForAndNoneBeforeItsTime) {
  KeptCheckpoints kept;
  v1::WorkerRequest request = TrainRequest({});
  ASSERT_TRUE(RunKeeping(*StartWorker(), request, kept).ok());
  request.mutable_train()->set_checkpoint_ms(3'600'000);
  ASSERT_TRUE(RunKeeping(*StartWorker(), request, kept).ok());
  EXPECT_TRUE(kept.whole.empty());
}

TEST(CheckpointTest, ATaskThatIsStoppedSaysHowFarItCame) {
  LinePlan plan;
  plan.training = "epochs = 10000\nbatch_size = 1";
  v1::WorkerRequest request = TrainRequest(plan);
  request.mutable_train()->set_checkpoint_ms(3'600'000);
  KeptCheckpoints kept;
  std::stop_source stop;
  const WorkerOutcome outcome =
      RunKeeping(*StartWorker(), request, kept, stop.get_token(), [&](const v1::Progress&) { stop.request_stop(); });
  EXPECT_EQ(outcome.end, WorkerEnd::kStopped);
  EXPECT_EQ(kept.whole.size(), 1U);
}

// With one after every step, the last of those and the one of the stop are of the same moment.
TEST(CheckpointTest, ATaskThatIsStoppedSaysNoMoreAndNoLessThanItHasDone) {
  LinePlan plan;
  plan.training = "epochs = 10000\nbatch_size = 1";
  v1::WorkerRequest request = TrainRequest(plan);
  request.mutable_train()->set_checkpoint_ms(0);
  KeptCheckpoints kept;
  std::stop_source stop;
  const WorkerOutcome outcome =
      RunKeeping(*StartWorker(), request, kept, stop.get_token(), [&](const v1::Progress&) { stop.request_stop(); });
  EXPECT_EQ(outcome.end, WorkerEnd::kStopped);
  ASSERT_GE(kept.whole.size(), 2U);
  EXPECT_EQ(kept.whole.back(), kept.whole[kept.whole.size() - 2]);
}

TEST(CheckpointTest, WhatIsNoCheckpointOfThisTaskIsABadRequest) {
  v1::WorkerRequest request = TrainRequest({});
  request.mutable_train()->set_checkpoint_ms(0);
  KeptCheckpoints kept;
  ASSERT_TRUE(RunKeeping(*StartWorker(), request, kept).ok());
  const std::string good = kept.whole[3];
  LinePlan adam;
  adam.training = "optimizer = \"adam\"\nlearning_rate = 0.05\nepochs = 5\nbatch_size = 16";
  LinePlan smaller;
  smaller.offset_trains = false;
  for (const std::string& bad : {std::string("x"), good.substr(0, good.size() - 1), good + "x"}) {
    request.mutable_train()->set_resume(bad);
    EXPECT_EQ(RunOnShared(request).end, WorkerEnd::kBadRequest);
  }
  for (const LinePlan& plan : {adam, smaller}) {
    v1::WorkerRequest other = TrainRequest(plan);
    other.mutable_train()->set_resume(good);
    EXPECT_EQ(RunOnShared(other).end, WorkerEnd::kBadRequest);
  }
}

// A program that remembers something in its own tensors would go on with half of what it knew.
TEST(CheckpointTest, AProgramThatWritesIntoItsOwnTensorsHasNone) {
  LinePlan plan;
  plan.offset_trains = false;
  plan.loss = R"(
    self.offset.add_(0.01)
    return torch.square(batch["x"] * self.slope + self.offset - batch["y"]))";
  v1::WorkerRequest request = TrainRequest(plan);
  request.mutable_train()->set_checkpoint_ms(0);
  KeptCheckpoints kept;
  const WorkerOutcome outcome = RunKeeping(*StartWorker(), request, kept);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_TRUE(kept.whole.empty());
}

// ---- Customers. Two points of each; a line through all of them.
constexpr std::string_view kCustomersToml = R"([plan]
name = "line"
version = 1
source = "line.py"
[tables.points.columns]
who = {{type = "customer"}}
x = {{type = "double", range = [-1, 1]}}
y = {{type = "double", range = [-3, 3]}}
[training]
learning_rate = 0.1
{}
[privacy]
secure_sum = false
{}
clip_norm = 0.5
noise_multiplier = 4.0
delta = 1e-6
rounds_max = 10
[cohort]
min = 2
target = 4
[[parameters]]
name = "slope"
shape = [1, 4]
[[parameters]]
name = "offset"
shape = [1]
)";

constexpr std::string_view kCustomersProgram = R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    points = tables["points"]
    return {{"unit": points["who"], "x": points["x"].to(6), "y": points["y"].to(6)}}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return torch.square({} - batch["y"])

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"count": torch.ones_like(batch["y"]).sum()}}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"y": batch["x"] * self.slope.sum() + self.offset}}
)";

constexpr std::string_view kByHand = "((batch[\"x\"].unsqueeze(1) * self.slope).sum(1) + self.offset)";
constexpr std::string_view kLinear =
    "torch.linear(batch[\"x\"].unsqueeze(1).repeat([1, 4]), self.slope, self.offset).squeeze(1)";
// Nobody's numbers may depend on who sits beside him, so such a program is run customer by customer.
constexpr std::string_view kDropout =
    "(torch.dropout(batch[\"x\"], 0.5, self.training) * self.slope.sum() + self.offset)";

v1::WorkerRequest CustomersRequest(std::string_view privacy, std::string_view line, std::string_view training,
                                   int64_t customers) {
  std::vector<int64_t> who;
  std::vector<double> x;
  std::vector<double> y;
  for (int64_t i = 0; i < 2 * customers; ++i) {
    who.push_back(1 + i / 2);
    x.push_back(std::sin(static_cast<double>(i) * 12.9898));
    y.push_back(2 * x.back() - 1);
  }
  const std::string toml = fmt::format(fmt::runtime(kCustomersToml), training, privacy);
  const std::string weights = EncodeWeights(MakeInitialWeights(Plan::Parse(toml).value()).value());
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(
      MakePlanBundle({.plan_toml = toml, .program = fmt::format(fmt::runtime(kCustomersProgram), line)}, weights)
          .value()
          .Encode());
  task.set_weights(weights);
  task.set_seed(Seed());
  task.set_noise_seed(Seed(99));
  v1::TableData& table = *task.add_tables();
  table.set_name("points");
  table.set_rows(who.size());
  const auto add = [&](const char* name) {
    v1::ColumnData* column = table.add_columns();
    column->set_name(name);
    return column;
  };
  const auto bytes_of = [](const auto& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * 8);
  };
  add("who")->set_int64_values(bytes_of(who));
  add("x")->set_double_values(bytes_of(x));
  add("y")->set_double_values(bytes_of(y));
  return request;
}

constexpr std::string_view kModeCustomer = "mode = \"customer\"\nsampling_rate = 1.0\ncustomers_per_store = {}";
constexpr std::string_view kModeLocalSgd =
    "mode = \"local-sgd\"\nsteps = 5\nupdate_norm_max = 1.0\nsampling_rate = 0.25\ncustomers_per_store = {}";

struct CustomersCase {
  std::string name;
  std::string_view mode;
  std::string_view line;
  std::string training;
  std::string way;
  int64_t customers;
  size_t checkpoints;  // After every 512 customers, and at the end of each step.
};
class CustomersCheckpointTest : public ::testing::TestWithParam<CustomersCase> {};

TEST_P(CustomersCheckpointTest, GoesOnBitForBit) {
  const CustomersCase& test = GetParam();
  const v1::WorkerRequest request =
      CustomersRequest(fmt::format(fmt::runtime(test.mode), test.customers), test.line, test.training, test.customers);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_TRUE(outcome.reply.trained().gradients_way().starts_with(test.way)) << outcome.reply.trained().gradients_way();
  ExpectTheSameFromEveryCheckpoint(request, test.checkpoints);
}

INSTANTIATE_TEST_SUITE_P(
    , CustomersCheckpointTest,
    ::testing::Values(CustomersCase{"Vmap", kModeCustomer, kByHand, "", "vmap", 1300, 3},
                      CustomersCase{"OuterProducts", kModeCustomer, kLinear, "", "outer products", 1300, 3},
                      CustomersCase{"Loop", kModeCustomer, kDropout, "", "loop", 600, 2},
                      CustomersCase{"Steps", kModeCustomer, kByHand, "local_steps = 2", "steps", 600, 2},
                      CustomersCase{"LocalSgd", kModeLocalSgd, kByHand, "momentum = 0.9", "vmap", 400, 5},
                      CustomersCase{"LocalSgdInParts", kModeLocalSgd, kLinear, "", "outer products", 2800, 10}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle
