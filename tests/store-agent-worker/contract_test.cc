// What a plan is promised of every task, on a real worker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "plans/update_vector.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<int32_t> UpdateOf(const v1::TrainResult& result) {
  std::vector<int32_t> update(result.update().size() / 4);
  std::memcpy(update.data(), result.update().data(), result.update().size());
  return update;
}

TEST(TrainTest, LearnsALineAndAnswersWithTheClippedUpdate) {
  const LinePlan plan;
  const WorkerOutcome outcome = RunOnShared(TrainRequest(plan));
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  const v1::TrainResult& result = outcome.reply.trained();
  EXPECT_EQ(result.examples(), 90U);  // Of 100 rows, the last ten are held out.
  EXPECT_LT(result.loss_after(), result.loss_before() / 4);
  EXPECT_TRUE(result.clipped());
  EXPECT_TRUE(result.trained_weights().empty());
  EXPECT_GT(outcome.use.memory_peak, uint64_t{50} << 20);

  const Plan parsed = plan.Bundle().plan().value();
  const Layout layout = DecodeWeights(plan.Weights())->layout;
  const UpdateShape shape = UpdateShapeOf(parsed, layout).value();
  const Quantizer quantizer = QuantizerOf(parsed, shape).value();
  const std::vector<int32_t> update = UpdateOf(result);
  ASSERT_EQ(update.size(), 3U);
  EXPECT_TRUE(quantizer.CheckNorm(update).ok());
  EXPECT_GT(quantizer.ToFloat(update[0]), 0.1);   // Toward slope 2,
  EXPECT_LT(quantizer.ToFloat(update[1]), -0.1);  // and offset -1.
  // The metric is of the weights that came (all zero): the mean of y squared over the held-out rows.
  EXPECT_GT(shape.MetricValue(0, quantizer.ToFloat(update[2])), 0.5);
}

TEST(TrainTest, TheSameSeedGivesTheSameBitsOnAnyWorker) {
  v1::WorkerRequest request = TrainRequest({});
  request.mutable_train()->set_keep_weights(true);
  const WorkerOutcome first = RunOnShared(request);
  const WorkerOutcome again = RunOnShared(request);
  const WorkerOutcome elsewhere = StartWorker()->Run(request, RoomyLimits());
  request.mutable_train()->set_seed(Seed(8));
  const WorkerOutcome other = RunOnShared(request);
  ASSERT_TRUE(first.ok() && again.ok() && elsewhere.ok() && other.ok()) << first.detail;
  EXPECT_EQ(first.reply.trained().trained_weights(), again.reply.trained().trained_weights());
  EXPECT_EQ(first.reply.trained().trained_weights(), elsewhere.reply.trained().trained_weights());
  EXPECT_NE(first.reply.trained().trained_weights(), other.reply.trained().trained_weights());
  EXPECT_EQ(first.reply.trained().update(), elsewhere.reply.trained().update());
}

TEST(TrainTest, KeptWeightsAndPassesAreForLocalModelsOnly) {
  LinePlan plan;
  plan.training = "optimizer = \"adam\"\nlearning_rate = 0.05\nepochs = 2\nbatch_size = 16";
  v1::WorkerRequest request = TrainRequest(plan);
  request.mutable_train()->set_passes(20);
  EXPECT_EQ(RunOnShared(request).end, WorkerEnd::kBadRequest);
  request.mutable_train()->set_keep_weights(true);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  const Weights weights = DecodeWeights(outcome.reply.trained().trained_weights()).value();
  EXPECT_NEAR(weights.values[0], 2, 0.1);
  EXPECT_NEAR(weights.values[1], -1, 0.1);
}

TEST(TrainTest, TellsProgressAtABoundedRateAndItsLastStep) {
  LinePlan plan;
  plan.training = "epochs = 200\nbatch_size = 4";
  std::vector<v1::Progress> told;
  const WorkerOutcome outcome = StartWorker()->Run(TrainRequest(plan), RoomyLimits(),
                                                   [&](const v1::Progress& progress) { told.push_back(progress); });
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().step(), 4600U);  // 23 batches of 90 examples, 200 times.
  EXPECT_EQ(told.back().steps_total(), 4600U);
  EXPECT_LT(told.size(), 4600U / 4);
}

TEST(TrainTest, StopsAtItsNextStepWhenAsked) {
  LinePlan plan;
  plan.training = "epochs = 10000\nbatch_size = 1";
  const std::unique_ptr<WorkerProcess> worker = StartWorker();
  std::stop_source stop;
  const WorkerOutcome outcome = worker->Run(
      TrainRequest(plan), RoomyLimits(), [&](const v1::Progress&) { stop.request_stop(); }, stop.get_token());
  EXPECT_EQ(outcome.end, WorkerEnd::kStopped);
}

TEST(TrainTest, FrozenParametersStayAndAreNoPartOfTheUpdate) {
  LinePlan plan;
  plan.offset_trains = false;
  v1::WorkerRequest request = TrainRequest(plan);
  Weights weights = DecodeWeights(plan.Weights()).value();
  weights.values[1] = 0.75F;
  request.mutable_train()->set_weights(EncodeWeights(weights));
  request.mutable_train()->set_keep_weights(true);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(UpdateOf(outcome.reply.trained()).size(), 2U);  // The slope and the metric.
  const Weights trained = DecodeWeights(outcome.reply.trained().trained_weights()).value();
  EXPECT_EQ(trained.values[1], 0.75F);
  EXPECT_GT(trained.values[0], 0.5F);
}

TEST(TrainTest, WhatTrainsIsPlainGradientDescent) {
  LinePlan plan;  // One step over all examples, so that the answer can be written down.
  plan.training = "learning_rate = 0.1\nmomentum = 0.9\nweight_decay = 0.01\nbatch_size = 1000";
  v1::WorkerRequest request = TrainRequest(plan);
  request.mutable_train()->set_keep_weights(true);
  request.mutable_train()->set_passes(2);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  const v1::TableData points = LinePoints(100);
  const auto* x = reinterpret_cast<const double*>(points.columns(1).double_values().data());
  const auto* y = reinterpret_cast<const double*>(points.columns(2).double_values().data());
  double w[2] = {0, 0};
  double velocity[2] = {0, 0};
  for (int step = 0; step < 2; ++step) {
    double gradient[2] = {0.01 * w[0], 0.01 * w[1]};
    for (int i = 0; i < 90; ++i) {
      const double error = w[0] * x[i] + w[1] - y[i];
      gradient[0] += 2 * error * x[i] / 90;
      gradient[1] += 2 * error / 90;
    }
    for (int k = 0; k < 2; ++k) {
      velocity[k] = 0.9 * velocity[k] + gradient[k];
      w[k] -= 0.1 * velocity[k];
    }
  }
  const Weights trained = DecodeWeights(outcome.reply.trained().trained_weights()).value();
  EXPECT_NEAR(trained.values[0], w[0], 1e-5);
  EXPECT_NEAR(trained.values[1], w[1], 1e-5);
}

TEST(TrainTest, MayUseMoreThreadsWhereTheSiteSaysSo) {
  v1::WorkerRequest request = TrainRequest({});
  request.mutable_train()->set_threads(2);
  const WorkerOutcome outcome = RunOnShared(request);
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
}

TEST(EvaluateTest, GivesSumsOverTheSplitThatWasAskedFor) {
  const LinePlan plan;
  v1::WorkerRequest request;
  v1::EvaluateTask& task = *request.mutable_evaluate();
  task.set_bundle(plan.Bundle().Encode());
  task.set_weights(plan.Weights());
  *task.add_tables() = LinePoints(100);
  std::map<v1::EvaluateTask::Split, uint64_t> expected = {{v1::EvaluateTask::SPLIT_ALL, 100},
                                                          {v1::EvaluateTask::SPLIT_TRAINING, 90},
                                                          {v1::EvaluateTask::SPLIT_VALIDATION, 10}};
  for (const auto& [split, examples] : expected) {
    task.set_split(split);
    const WorkerOutcome outcome = RunOnShared(request);
    ASSERT_TRUE(outcome.ok()) << outcome.detail;
    EXPECT_EQ(outcome.reply.evaluated().examples(), examples);
    EXPECT_EQ(outcome.reply.evaluated().metrics().at("count"), static_cast<double>(examples));
    EXPECT_GT(outcome.reply.evaluated().metrics().at("squared_error"), 0);
  }
}

TEST(InspectTest, SaysWhatAGoodPlanIsMadeOf) {
  const WorkerOutcome outcome = RunOnShared(InspectRequest({}));
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  const v1::InspectResult& result = outcome.reply.inspected();
  EXPECT_EQ(result.parameters(), 2U);
  EXPECT_EQ(result.trainable(), 2U);
  EXPECT_GT(result.seconds_per_step(), 0);
  EXPECT_THAT(result.operators(), Contains("aten::mul"));
}

struct BadPlan {
  std::string name;
  LinePlan plan;
  WorkerEnd end;
  std::string told;
};

class BadPlanTest : public ::testing::TestWithParam<BadPlan> {};

TEST_P(BadPlanTest, IsRefusedWithTheReason) {
  const WorkerOutcome outcome = RunOnShared(InspectRequest(GetParam().plan));
  EXPECT_EQ(outcome.end, GetParam().end) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr(GetParam().told));
  EXPECT_TRUE(outcome.worker_survives());
}

BadPlan WithLoss(std::string name, std::string loss, WorkerEnd end, std::string told) {
  BadPlan bad{.name = std::move(name), .plan = {}, .end = end, .told = std::move(told)};
  bad.plan.loss = "\n    " + loss;
  return bad;
}
BadPlan WithPrepare(std::string name, std::string prepare, WorkerEnd end, std::string told) {
  BadPlan bad{.name = std::move(name), .plan = {}, .end = end, .told = std::move(told)};
  bad.plan.prepare = "\n    " + prepare;
  return bad;
}
BadPlan WithMetrics(std::string name, std::string metrics, std::string told) {
  BadPlan bad{.name = std::move(name), .plan = {}, .end = WorkerEnd::kPlanError, .told = std::move(told)};
  bad.plan.metrics = "\n    " + metrics;
  return bad;
}

INSTANTIATE_TEST_SUITE_P(
    , BadPlanTest,
    ::testing::Values(
        WithLoss("NotPython", "return return", WorkerEnd::kPlanInvalid, "HERE"),
        WithLoss("UnknownParameter", "return batch[\"x\"] * self.nothing", WorkerEnd::kPlanInvalid, "nothing"),
        WithLoss("WrongReturnType", "return batch", WorkerEnd::kPlanInvalid, "Tensor"),
        WithLoss("NotANumber", "return torch.log(-torch.ones_like(batch[\"x\"])) * self.slope", WorkerEnd::kPlanError,
                 "finite"),
        WithLoss("OneForTheWholeBatch", "return torch.square(batch[\"x\"] * self.slope).mean()", WorkerEnd::kPlanError,
                 "one float per example"),
        WithLoss("NoParameter", "return torch.square(batch[\"x\"])", WorkerEnd::kPlanError, "doesn't depend"),
        WithLoss("LooksAtOthers", "return torch.square(batch[\"x\"] - batch[\"x\"].mean() + self.slope)",
                 WorkerEnd::kPlanError, "other examples"),
        WithLoss("BatchNorm",
                 "return torch.square(torch.batch_norm(batch[\"x\"].unsqueeze(1), None, None, None, None, True, 0.1, "
                 "0.00001, False)[:, 0] + self.slope)",
                 WorkerEnd::kPlanInvalid, "batch_norm"),
        WithLoss("Raises", "assert batch[\"x\"].size(0) == 0, \"no such week\"\n    return batch[\"x\"] * self.slope",
                 WorkerEnd::kPlanError, "no such week"),
        WithLoss("Prints", "print(batch)\n    return torch.square(batch[\"x\"] * self.slope)", WorkerEnd::kPlanInvalid,
                 "prim::Print"),
        WithLoss("MissingColumn", "return batch[\"z\"] * self.slope", WorkerEnd::kPlanError, "loss: "),
        WithPrepare("NoUnit", "return {\"x\": tables[\"points\"][\"x\"]}", WorkerEnd::kPlanError, "unit"),
        WithPrepare("UnitOfWrongType", "return {\"unit\": tables[\"points\"][\"x\"]}", WorkerEnd::kPlanError, "int64"),
        WithPrepare("UnequalLengths",
                    "return {\"unit\": tables[\"points\"][\"a\"], \"time\": tables[\"points\"][\"a\"], \"x\": "
                    "tables[\"points\"][\"x\"][1:]}",
                    WorkerEnd::kPlanError, "says there are 64 examples"),
        WithPrepare("NoExamples", "return {\"unit\": tables[\"points\"][\"a\"][:0]}", WorkerEnd::kPlanError,
                    "no examples"),
        WithPrepare("NoTime", "return {\"unit\": tables[\"points\"][\"a\"]}", WorkerEnd::kPlanError, "time"),
        WithMetrics("MetricMissing", "return {\"count\": torch.ones([1])}", "squared_error"),
        WithMetrics("MetricsWithoutCount", "return {\"squared_error\": torch.ones([1])}", "count"),
        WithMetrics("MetricNotSingle", "return {\"count\": batch[\"x\"]}", "single number")),
    [](const auto& test) { return test.param.name; });

struct BadRequest {
  std::string name;
  std::function<void(v1::WorkerRequest&)> spoil;
  std::string told;
};

class BadRequestTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithTheReason) {
  v1::WorkerRequest request = TrainRequest({});
  GetParam().spoil(request);
  const WorkerOutcome outcome = RunOnShared(request);
  EXPECT_EQ(outcome.end, WorkerEnd::kBadRequest) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , BadRequestTest,
    ::testing::Values(
        BadRequest{"NoTask", [](auto& request) { request.clear_train(); }, "without a task"},
        BadRequest{"BundleCutOff", [](auto& request) { request.mutable_train()->mutable_bundle()->pop_back(); },
                   "bundle"},
        BadRequest{"WeightsCutOff", [](auto& request) { request.mutable_train()->mutable_weights()->pop_back(); }, ""},
        BadRequest{"ShortSeed", [](auto& request) { request.mutable_train()->set_seed("abc"); }, "seed"},
        BadRequest{"TooManyThreads", [](auto& request) { request.mutable_train()->set_threads(1000); }, "threads"},
        BadRequest{"NoTable", [](auto& request) { request.mutable_train()->clear_tables(); }, "points"},
        BadRequest{
            "ColumnTooShort",
            [](auto& request) {
              request.mutable_train()->mutable_tables(0)->mutable_columns(1)->mutable_double_values()->pop_back();
            },
            "column x"},
        BadRequest{"ColumnOfWrongType",
                   [](auto& request) {
                     auto* column = request.mutable_train()->mutable_tables(0)->mutable_columns(1);
                     column->set_int64_values(column->double_values());
                   },
                   "column x"},
        BadRequest{"ColumnThePlanDoesNotRead",
                   [](auto& request) { request.mutable_train()->mutable_tables(0)->add_columns()->set_name("secret"); },
                   "columns"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle
