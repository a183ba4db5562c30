// Mode customer and local-sgd on a real worker: who takes part, what each may add, and what one may know of another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "plans/initial_weights.h"
#include "plans/slots.h"
#include "plans/update_vector.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// A line through each customer's points: customer c has y = c's level + slope * x.
struct CustomerPlan {
  std::string mode = R"(mode = "customer"
sampling_rate = 1.0
customers_per_store = 20
)";
  std::string clip = "0.5";
  std::string training = "learning_rate = 0.1";
  std::string more_privacy;
  std::string prepare = R"(
    points = tables["points"]
    return {"unit": points["who"], "x": points["x"].to(6), "y": points["y"].to(6)})";
  std::string loss = "\n    return torch.square(batch[\"x\"] * self.slope + self.offset - batch[\"y\"])";

  std::string Toml() const {
    return fmt::format(R"([plan]
name = "line"
version = 1
source = "line.py"
[tables.points.columns]
who = {{type = "customer"}}
x = {{type = "double", range = [-1, 1]}}
y = {{type = "double", range = [-3, 3]}}
[training]
{}
[privacy]
secure_sum = false
{}clip_norm = {}
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
metric_share = 0.2
{}
[cohort]
min = 2
target = 4
[metrics.squared_error]
bound = 10.0
[[parameters]]
name = "slope"
shape = [1]
[[parameters]]
name = "offset"
shape = [1]
)",
                       training, mode, clip, more_privacy);
  }
  std::string Source() const {
    return fmt::format(R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:{}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:{}

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    error = batch["x"] * self.slope + self.offset - batch["y"]
    return {{"count": torch.ones_like(error).sum(), "squared_error": torch.square(error).sum()}}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"y": batch["x"] * self.slope + self.offset}}
)",
                       prepare, loss);
  }
  std::string Weights() const { return EncodeWeights(MakeInitialWeights(Plan::Parse(Toml()).value()).value()); }
  PlanBundle Bundle() const { return MakePlanBundle({.plan_toml = Toml(), .program = Source()}, Weights()).value(); }
};

struct Point {
  int64_t who;
  double x;
  double y;
};

v1::TableData TableOf(const std::vector<Point>& points) {
  v1::TableData table;
  table.set_name("points");
  table.set_rows(points.size());
  const auto column = [&](const char* name, auto value) {
    std::vector<decltype(value(points[0]))> values;
    for (const Point& point : points) values.push_back(value(point));
    v1::ColumnData* out = table.add_columns();
    out->set_name(name);
    const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * 8);
    if constexpr (std::is_same_v<decltype(value(points[0])), double>) {
      out->set_double_values(bytes);
    } else {
      out->set_int64_values(bytes);
    }
  };
  column("who", [](const Point& p) { return p.who; });
  column("x", [](const Point& p) { return p.x; });
  column("y", [](const Point& p) { return p.y; });
  return table;
}

// Ten customers with one to ten points each.
std::vector<Point> TenCustomers() {
  std::vector<Point> points;
  for (int64_t who = 1; who <= 10; ++who) {
    for (int64_t i = 0; i < who; ++i) {
      const double x = std::sin(static_cast<double>(who * 31 + i * 7));
      points.push_back({who, x, 2 * x - 1});
    }
  }
  return points;
}

v1::WorkerRequest RequestFor(const CustomerPlan& plan, const std::vector<Point>& points, uint8_t seed = 7) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(plan.Bundle().Encode());
  task.set_weights(plan.Weights());
  *task.add_tables() = TableOf(points);
  task.set_seed(Seed(seed));
  task.set_noise_seed(Seed(99));
  return request;
}

struct Answer {
  v1::TrainResult result;
  std::vector<double> parameters;
  std::map<std::string, double> slots;
  double norm = 0;  // Of the integer vector, in units of Delta.
};

Answer Try(const CustomerPlan& plan, const std::vector<Point>& points, uint8_t seed = 7) {
  const WorkerOutcome outcome = RunOnShared(RequestFor(plan, points, seed));
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
  Answer answer{.result = outcome.reply.trained(), .parameters = {}, .slots = {}};
  std::vector<int32_t> update(answer.result.update().size() / 4);
  std::memcpy(update.data(), answer.result.update().data(), answer.result.update().size());
  const Plan parsed = Plan::Parse(plan.Toml()).value();
  const UpdateShape shape = UpdateShapeOf(parsed, DecodeWeights(plan.Weights())->layout).value();
  const Quantizer quantizer = QuantizerOf(parsed, shape).value();
  EXPECT_EQ(update.size(), shape.length());
  if (update.size() != shape.length()) return answer;
  for (size_t i = 0; i < 2; ++i) answer.parameters.push_back(quantizer.ToFloat(update[i]));
  const auto slots = MetricSlotsOf(parsed);
  for (size_t j = 0; j < slots.size(); ++j) {
    answer.slots[slots[j].name] = shape.MetricValue(j, quantizer.ToFloat(update[2 + j]));
  }
  for (const int32_t value : update)
    answer.norm += std::pow(static_cast<double>(value) / static_cast<double>(quantizer.scale()), 2);
  answer.norm = std::sqrt(answer.norm);
  return answer;
}

// -lr * gradient of the mean of (y)^2 at slope = offset = 0, clipped to C sqrt(1 - s^2).
std::vector<double> VectorOf(const std::vector<Point>& points, int64_t who, double clip) {
  double slope = 0;
  double offset = 0;
  double count = 0;
  for (const Point& point : points) {
    if (point.who != who) continue;
    slope += 0.1 * 2 * point.y * point.x;
    offset += 0.1 * 2 * point.y;
    ++count;
  }
  const double norm = std::hypot(slope, offset) / count;
  const double factor = std::min(1.0, clip * std::sqrt(1 - 0.04) / norm) / count;
  return {slope * factor, offset * factor};
}

TEST(CustomerModeTest, AddsOneClippedVectorForEachCustomer) {
  CustomerPlan plan;
  plan.clip = "0.2";
  const auto points = TenCustomers();
  const Answer answer = Try(plan, points);
  double slope = 0;
  double offset = 0;
  for (int64_t who = 1; who <= 10; ++who) {
    slope += VectorOf(points, who, 0.2)[0];
    offset += VectorOf(points, who, 0.2)[1];
  }
  EXPECT_NEAR(answer.parameters[0], slope, 1e-4);
  EXPECT_NEAR(answer.parameters[1], offset, 1e-4);
  EXPECT_NEAR(answer.slots.at("customers"), 10, 1e-2);
  EXPECT_NEAR(answer.slots.at("examples"), 55, 1);
  EXPECT_EQ(answer.result.customers(), 10U);
  EXPECT_EQ(answer.result.customers_drawn(), 10U);
}

// The claim that the noise is made for, seen from outside: take any one customer away, or give one anything at all, and
// the vector moves by at most Delta.
TEST(CustomerModeTest, OneCustomerMovesTheSumByAtMostTheClip) {
  CustomerPlan plan;
  const auto everyone = TenCustomers();
  const auto update_of = [&](const std::vector<Point>& points) {
    const WorkerOutcome outcome = RunOnShared(RequestFor(plan, points));
    EXPECT_TRUE(outcome.ok()) << outcome.detail;
    std::vector<int32_t> update(outcome.reply.trained().update().size() / 4);
    std::memcpy(update.data(), outcome.reply.trained().update().data(), update.size() * 4);
    return update;
  };
  const Plan parsed = Plan::Parse(plan.Toml()).value();
  const UpdateShape shape = UpdateShapeOf(parsed, DecodeWeights(plan.Weights())->layout).value();
  const Quantizer quantizer = QuantizerOf(parsed, shape).value();
  const auto with = update_of(everyone);
  std::vector<std::vector<Point>> neighbours;
  for (const int64_t gone : {1, 5, 10}) {
    std::vector<Point> others;
    std::ranges::copy_if(everyone, std::back_inserter(others), [gone](const Point& p) { return p.who != gone; });
    neighbours.push_back(others);
  }
  for (const double wild : {1e30, -1e300, std::nan(""), 1e-300}) {
    neighbours.push_back(everyone);
    for (int i = 0; i < 500; ++i) neighbours.back().push_back({11, wild, -wild});
  }
  for (const auto& neighbour : neighbours) {
    const auto without = update_of(neighbour);
    std::vector<int32_t> moved(with.size());
    for (size_t i = 0; i < with.size(); ++i) moved[i] = with[i] - without[i];
    EXPECT_TRUE(quantizer.CheckNorm(moved).ok());
  }
}

// prepare() sees one customer at a time. A plan that would copy the largest value of the store into every example finds
// only the customer's own.
TEST(CustomerModeTest, NoCustomerSeesAnothersRows) {
  CustomerPlan plan;
  plan.prepare = R"(
    points = tables["points"]
    return {"unit": points["who"], "x": torch.ones_like(points["x"]).to(6), "y": (torch.ones_like(points["y"]) * points["y"].max()).to(6)})";
  auto points = TenCustomers();
  const Answer before = Try(plan, points);
  points.push_back({11, 0, 3});
  const Answer after = Try(plan, points);
  const double moved =
      std::hypot(after.parameters[0] - before.parameters[0], after.parameters[1] - before.parameters[1]);
  EXPECT_GT(moved, 0.1);
  EXPECT_LE(moved, 0.5);
}

TEST(CustomerModeTest, WhatAPlanWritesIntoItselfIsGoneForTheNextCustomer) {
  CustomerPlan plan;
  plan.prepare = R"(
    points = tables["points"]
    if float(points["y"].max()) > 2.9:
        self.offset[:] = torch.full([1], 50.0)
    return {"unit": points["who"], "x": points["x"].to(6), "y": points["y"].to(6)})";
  auto points = TenCustomers();
  const Answer clean = Try(plan, points);
  points.push_back({0, 0.5, 3});  // Comes first.
  const Answer after = Try(plan, points);
  EXPECT_EQ(after.parameters, clean.parameters);  // That customer adds nothing, and nobody else noticed.
  EXPECT_NEAR(after.slots.at("customers"), 10, 1e-2);
}

TEST(CustomerModeTest, RandomNumbersOfOneCustomerDoNotDependOnTheOthers) {
  CustomerPlan plan;
  plan.loss = R"(
    draws = int(torch.clamp(batch["y"].abs().max() * 3, 1, 50))
    noise = torch.rand([draws])[0]
    return torch.square(batch["x"] * self.slope + self.offset - batch["y"]) * noise)";
  auto points = TenCustomers();
  const Answer without = Try(plan, points);
  points.push_back({0, 0.5, 3});
  const Answer with = Try(plan, points);
  EXPECT_LE(std::hypot(with.parameters[0] - without.parameters[0], with.parameters[1] - without.parameters[1]), 0.5);
}

TEST(CustomerModeTest, CustomersThePlanCannotDigestAddNothingAndStopNobody) {
  CustomerPlan plan;
  plan.prepare = R"(
    points = tables["points"]
    assert float(points["x"].max()) < 5.0, "no such x"
    return {"unit": points["who"], "x": points["x"].to(6), "y": points["y"].to(6)})";
  auto points = TenCustomers();
  const Answer clean = Try(plan, points);
  points.push_back({11, 6, 0});
  points.push_back({12, std::nan(""), std::nan("")});
  const Answer after = Try(plan, points);
  EXPECT_EQ(after.parameters, clean.parameters);
  EXPECT_EQ(after.result.customers(), 12U);
}

TEST(CustomerModeTest, RowsOfNobodyAreLeftOut) {
  const CustomerPlan plan;
  auto points = TenCustomers();
  const Answer clean = Try(plan, points);
  for (int i = 0; i < 100; ++i) points.push_back({-1, 1, 3});
  EXPECT_EQ(Try(plan, points).result.update(), clean.result.update());
}

TEST(CustomerModeTest, WithoutCustomersTheVectorIsZeroAndTheTaskGoesWell) {
  const CustomerPlan plan;
  for (const std::vector<Point>& points : {std::vector<Point>{}, std::vector<Point>{{-1, 0, 0}}}) {
    const Answer answer = Try(plan, points);
    EXPECT_THAT(answer.parameters, Each(0));
    EXPECT_EQ(answer.norm, 0);
    EXPECT_EQ(answer.result.customers(), 0U);
  }
}

TEST(CustomerModeTest, OneCustomerWithNearlyAllRowsCountsOnce) {
  CustomerPlan plan;
  plan.mode += "examples_per_customer_max = 8\n";
  auto points = TenCustomers();
  for (int i = 0; i < 1000; ++i) points.push_back({10, 1, 3});
  const Answer answer = Try(plan, points);
  EXPECT_NEAR(answer.slots.at("customers"), 10, 1e-2);
  EXPECT_NEAR(answer.slots.at("examples"), 36 + 8 + 8, 0.5);
}

TEST(CustomerModeTest, DrawsCustomersWithTheGivenProbability) {
  CustomerPlan plan;
  plan.mode = "mode = \"customer\"\nsampling_rate = 0.2\ncustomers_per_store = 500\n";
  std::vector<Point> points;
  for (int64_t who = 0; who < 500; ++who) points.push_back({who, 0.5, 0.1});
  uint64_t drawn = 0;
  for (uint8_t seed = 1; seed <= 10; ++seed) drawn += Try(plan, points, seed).result.customers_drawn();
  // 5,000 coins of 0.2: five sigma, a false alarm in 1.7 million; and the seeds are fixed.
  EXPECT_NEAR(static_cast<double>(drawn), 1000, 5 * std::sqrt(5000 * 0.2 * 0.8));
}

TEST(CustomerModeTest, TakesSeveralStepsOnEachCustomersRows) {
  CustomerPlan plan;
  plan.training = "learning_rate = 0.1\nlocal_steps = 20";
  const std::vector<Point> points = {{1, 0, 0.3}};
  const Answer answer = Try(plan, points);
  EXPECT_NEAR(answer.parameters[1], 0.3 * (1 - std::pow(0.8, 20)),
              1e-3);  // offset moves to y by 0.2 of the rest a step.
}

TEST(CustomerModeTest, SaysHowManyWereWithinTheClip) {
  CustomerPlan plan;
  plan.clip = "0.2";
  plan.more_privacy = "[privacy.adaptive_clip]\nquantile = 0.5\n";
  const Answer answer = Try(plan, {{1, 0, 0.1}, {2, 0, 0.2}, {3, 0, 3}});
  EXPECT_NEAR(answer.slots.at("unclipped"), 0.5, 1e-3);  // +1/2, +1/2, -1/2.
}

TEST(CustomerModeTest, TheRoundsOwnClipReplacesThePlans) {
  CustomerPlan plan;
  plan.more_privacy = "[privacy.adaptive_clip]\nquantile = 0.5\n";
  v1::WorkerRequest request = RequestFor(plan, {{1, 0, 3}});
  request.mutable_train()->set_clip_norm(0.01);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  std::vector<int32_t> update(outcome.reply.trained().update().size() / 4);
  std::memcpy(update.data(), outcome.reply.trained().update().data(), update.size() * 4);
  Plan parsed = WithClipNorm(Plan::Parse(plan.Toml()).value(), 0.01);
  const UpdateShape shape = UpdateShapeOf(parsed, DecodeWeights(plan.Weights())->layout).value();
  const Quantizer quantizer = QuantizerOf(parsed, shape).value();
  EXPECT_NEAR(quantizer.ToFloat(update[1]), shape.parameter_clip(), 1e-5);
}

CustomerPlan LocalSgdPlan() {
  CustomerPlan plan;
  plan.mode =
      "mode = \"local-sgd\"\nsampling_rate = 0.5\ncustomers_per_store = 200\nsteps = 60\nupdate_norm_max = 5.0\n";
  plan.training = "learning_rate = 0.2";
  plan.clip = "2.0";
  return plan;
}

TEST(LocalSgdTest, LearnsThroughItsNoise) {
  std::vector<Point> points;
  for (int64_t who = 0; who < 200; ++who) {
    const double x = std::sin(static_cast<double>(who) * 12.9898);
    points.push_back({who, x, 2 * x - 1});
  }
  const Answer answer = Try(LocalSgdPlan(), points);
  EXPECT_NEAR(answer.parameters[0], 2, 0.5);
  EXPECT_NEAR(answer.parameters[1], -1, 0.3);
  EXPECT_LE(answer.norm, 1);
}

TEST(LocalSgdTest, IsAllNoiseWithoutCustomersAndNeverTwiceTheSame) {
  v1::WorkerRequest request = RequestFor(LocalSgdPlan(), {});
  const WorkerOutcome first = RunOnShared(request);
  request.mutable_train()->set_noise_seed(Seed(100));
  const WorkerOutcome second = RunOnShared(request);
  ASSERT_TRUE(first.ok() && second.ok()) << first.detail << second.detail;
  EXPECT_NE(first.reply.trained().update(), second.reply.trained().update());
  EXPECT_NE(first.reply.trained().update(), std::string(first.reply.trained().update().size(), '\0'));
}

TEST(LocalSgdTest, WithoutANoiseSeedNothingIsTrained) {
  v1::WorkerRequest request = RequestFor(LocalSgdPlan(), TenCustomers());
  request.mutable_train()->clear_noise_seed();
  const WorkerOutcome outcome = RunOnShared(request);
  EXPECT_EQ(outcome.end, WorkerEnd::kBadRequest);
  EXPECT_THAT(outcome.detail, HasSubstr("noise seed has 0 bytes"));
}

TEST(CustomerPlanCheckTest, APlanThatFailsOnOneCustomerAloneIsRefusedBeforeItIsSent) {
  CustomerPlan plan;
  plan.prepare = R"(
    points = tables["points"]
    assert int(points["who"].max()) > int(points["who"].min()), "one is too few"
    return {"unit": points["who"], "x": points["x"].to(6), "y": points["y"].to(6)})";
  v1::WorkerRequest request;
  request.set_request_id(2);
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(plan.Bundle().Encode());
  task.set_weights(plan.Weights());
  task.set_seed(Seed());
  const WorkerOutcome outcome = RunOnShared(request);
  EXPECT_EQ(outcome.end, WorkerEnd::kPlanError);
  EXPECT_THAT(outcome.detail, HasSubstr("one customer's rows alone"));
}

}  // namespace
}  // namespace aisle
