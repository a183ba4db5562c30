// Every plan that ships with Aisle parses and bundles; tests/store-agent-worker runs them.
#include <gtest/gtest.h>

#include <filesystem>

#include "aggregation/weights.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"
#include "plans/update_vector.h"

namespace aisle {
namespace {

TEST(ShippedPlansTest, AreWholeAndFitTheirOwnGrid) {
  int plans = 0;
  for (const auto& entry : std::filesystem::directory_iterator(AISLE_PLANS_FOLDER)) {
    if (!std::filesystem::exists(entry.path() / "plan.toml")) continue;
    ++plans;
    const StatusOr<PlanFiles> files = ReadPlanFiles(entry.path().string());
    ASSERT_TRUE(files.ok()) << files.status();
    const Plan plan = Plan::Parse(files->plan_toml).value();
    EXPECT_EQ(plan.name, entry.path().filename().string());
    const Weights weights = MakeInitialWeights(plan).value();
    EXPECT_TRUE(MakePlanBundle(*files, EncodeWeights(weights)).ok());
    const StatusOr<UpdateShape> shape = UpdateShapeOf(plan, weights.layout);
    ASSERT_TRUE(shape.ok()) << shape.status();
    EXPECT_TRUE(QuantizerOf(plan, *shape).ok());
    EXPECT_FALSE(plan.description.empty());
  }
  EXPECT_GE(plans, 1);
}

}  // namespace
}  // namespace aisle
