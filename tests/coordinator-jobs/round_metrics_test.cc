#include "coordinator/jobs/round_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plans/slots.h"
#include "plans/update_vector.h"

namespace aisle {
namespace {

constexpr std::string_view kPlan = R"([plan]
name = "mean"
version = 1
source = "mean.py"
[tables.visits.columns]
who = {type = "customer"}
[validation]
fraction = 0.2
[privacy]
secure_sum = false
mode = "customer"
sampling_rate = 0.1
customers_per_store = 500
clip_norm = 1.0
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
metric_share = 0.5
[privacy.adaptive_clip]
quantile = 0.5
learning_rate = 0.2
[cohort]
min = 2
target = 4
[metrics.loss]
bound = 10.0
[[parameters]]
name = "level"
shape = [1]
)";

// A round's sum in which `customers` were drawn, `measured` of them with a metric of `loss` each, and `unclipped` of
// them within the clip.
std::map<std::string, double> MetricsWith(const Plan& plan, double customers, double measured, double loss,
                                          double unclipped) {
  const Layout layout = Layout::Make({{"level", {1}}}).value();
  const UpdateShape shape = UpdateShapeOf(plan, layout).value();
  const Quantizer quantizer = QuantizerOf(plan, shape).value();
  ModularSum sum(shape.length());
  std::vector<uint32_t> vector(shape.length());
  const auto slots = MetricSlotsOf(plan);
  const auto put = [&](std::string_view name, double value) {
    const size_t j = static_cast<size_t>(std::ranges::find(slots, name, &MetricNeed::name) - slots.begin());
    const double one = shape.MetricSlot(j, slots[j].bound) / slots[j].bound;  // Of a value of 1.
    const double units = value * one / quantizer.clip_norm() * static_cast<double>(quantizer.scale());
    vector[1 + j] = static_cast<uint32_t>(static_cast<int32_t>(std::lround(units)));
  };
  put("loss", measured * loss);
  put("customers", customers);
  put("measured", measured);
  put("examples", customers * 3);
  put("unclipped", unclipped - 0.5 * customers);
  EXPECT_TRUE(sum.Add(vector).ok());
  return MetricsOf(plan, sum, quantizer, shape, 4).value();
}

TEST(RoundMetricsTest, AreMeansOverTheCustomersTheSumItselfTellsOf) {
  const Plan plan = Plan::Parse(kPlan).value();
  // 200 would be drawn if every store had as many as planned; here are half as many.
  const auto metrics = MetricsWith(plan, 100, 80, 2.5, 70);
  EXPECT_NEAR(metrics.at("loss"), 2.5, 1e-2);
  EXPECT_NEAR(metrics.at("customers"), 1000, 1) << "of the 2,000 planned";
  EXPECT_NEAR(metrics.at("measured"), 0.8, 1e-3);
  EXPECT_NEAR(metrics.at("examples"), 3, 0.1);
  EXPECT_NEAR(metrics.at("unclipped"), 0.7, 1e-3);
}

TEST(RoundMetricsTest, WithHardlyAnybodyThereNothingIsDividedByNoise) {
  const Plan plan = Plan::Parse(kPlan).value();
  const auto metrics = MetricsWith(plan, 1, 1, 2.5, 1);
  EXPECT_NEAR(metrics.at("loss"), 2.5 / 200, 1e-3);
  for (const auto& [name, value] : metrics) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST(ClipNormTest, MovesTowardTheQuantile) {
  const PrivacyContract contract = Plan::Parse(kPlan).value().privacy;
  EXPECT_NEAR(NextClipNorm(contract, {{"unclipped", 0.5}}), 1.0, 1e-12);
  EXPECT_NEAR(NextClipNorm(contract, {{"unclipped", 1.0}}), std::exp(-0.1), 1e-12);  // All fit: smaller.
  EXPECT_NEAR(NextClipNorm(contract, {{"unclipped", 0.0}}), std::exp(0.1), 1e-12);   // None fit: larger.
  EXPECT_NEAR(NextClipNorm(contract, {{"unclipped", 37.0}}), std::exp(-0.1), 1e-12) << "noise can't make it jump";
}

// Andrew et al. 2021, section 3: from a start that is off by a factor of 50, the clip finds the median.
TEST(ClipNormTest, FindsTheMedianFromFarAway) {
  PrivacyContract contract = Plan::Parse(kPlan).value().privacy;
  for (const double start : {0.02, 50.0}) {
    contract.clip_norm = start;
    for (int round = 0; round < 200; ++round) {
      // Norms are spread evenly from 0 to 2: the median is 1.
      contract.clip_norm = NextClipNorm(contract, {{"unclipped", std::min(contract.clip_norm / 2, 1.0)}});
    }
    EXPECT_NEAR(contract.clip_norm, 1.0, 0.05) << start;
  }
}

TEST(ClipNormTest, StaysWithinItsLimits) {
  PrivacyContract contract = Plan::Parse(kPlan).value().privacy;
  contract.clip_norm = 1e6;
  EXPECT_EQ(NextClipNorm(contract, {{"unclipped", 0.0}}), 1e6);
  contract.clip_norm = 1e-6;
  EXPECT_EQ(NextClipNorm(contract, {{"unclipped", 1.0}}), 1e-6);
}

TEST(ClipNormTest, IsThePlansOwnWhereItDoesNotAdapt) {
  std::string text(kPlan);
  text.erase(text.find("[privacy.adaptive_clip]"), text.find("[cohort]") - text.find("[privacy.adaptive_clip]"));
  const Plan plan = Plan::Parse(text).value();
  EXPECT_EQ(NextClipNorm(plan.privacy, {{"unclipped", 1.0}}), 0);
}

}  // namespace
}  // namespace aisle
