// The shipped demand plan, as its files are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plans/initial_weights.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

TEST(DemandPlanTest, PassesItsOwnDryRun) {
  PlanFiles files = ReadPlanFiles(AISLE_DEMAND_PLAN).value();
  const Plan plan = Plan::Parse(files.plan_toml).value();
  const std::string weights = EncodeWeights(MakeInitialWeights(plan).value());
  const StatusOr<PlanBundle> bundle = MakePlanBundle(std::move(files), weights);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  v1::WorkerRequest request;
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(bundle->Encode());
  task.set_weights(weights);
  task.set_seed(Seed());
  for (const std::string& seed : {Seed(1), Seed(2), Seed(3)}) {
    task.set_seed(seed);
    const WorkerOutcome outcome = RunOnShared(request);
    ASSERT_TRUE(outcome.ok()) << outcome.detail;
    EXPECT_GT(outcome.reply.inspected().trainable(), 4000U);
    EXPECT_LT(outcome.reply.inspected().trainable(), 6000U);
  }
}

}  // namespace
}  // namespace aisle
