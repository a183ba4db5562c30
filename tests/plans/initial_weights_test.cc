#include "plans/initial_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/plans/sample_plan.h"

namespace aisle {
namespace {

TEST(InitialWeightsTest, AreTheSameEveryTime) {
  const Plan plan = Plan::Parse(SamplePlan()).value();
  EXPECT_EQ(MakeInitialWeights(plan).value(), MakeInitialWeights(plan).value());
}

TEST(InitialWeightsTest, AnotherSeedDrawsOthers) {
  const Weights first = MakeInitialWeights(Plan::Parse(SamplePlan()).value()).value();
  const Weights second = MakeInitialWeights(Plan::Parse(SamplePlanWith("seed = 5", "seed = 6")).value()).value();
  EXPECT_NE(first.values, second.values);
}

TEST(InitialWeightsTest, AParameterMoreChangesNoOther) {
  const Weights first = MakeInitialWeights(Plan::Parse(SamplePlan()).value()).value();
  const Weights more =
      MakeInitialWeights(
          Plan::Parse(SamplePlan() + "\n[[parameters]]\nname = \"more\"\nshape = [2]\ninit = \"ones\"\n").value())
          .value();
  EXPECT_TRUE(std::equal(first.values.begin(), first.values.end(), more.values.begin()));
  EXPECT_EQ(more.values.back(), 1.0F);
}

TEST(InitialWeightsTest, FollowTheirDeclaredDistributions) {
  const std::string toml = SamplePlanWith("shape = [10, 4]", "shape = [400, 100]");
  const Weights weights = MakeInitialWeights(Plan::Parse(toml).value()).value();
  double sum = 0;
  double squares = 0;
  for (const float value : weights.tensor(0)) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 40000, 0, 0.1 * 5 / 200);  // Five standard errors of a fixed seed.
  EXPECT_NEAR(std::sqrt(squares / 40000), 0.1, 0.003);
  for (const float value : weights.tensor(1)) EXPECT_LE(std::abs(value), 0.25F);  // 1 / sqrt(16).
  EXPECT_GT(*std::ranges::max_element(weights.tensor(1)), 0.15F);
  for (const float value : weights.tensor(2)) EXPECT_EQ(value, 0.25F);
}

TEST(InitialWeightsTest, AnArchiveHasNone) {
  std::string text = SamplePlanWith("source = \"sample.py\"", "archive = \"model.pt\"");
  text.resize(text.find("[[parameters]]"));
  EXPECT_EQ(MakeInitialWeights(Plan::Parse(text).value()).status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace aisle
