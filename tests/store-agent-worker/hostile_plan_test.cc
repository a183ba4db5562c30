// Plans that mean harm, or might as well: each costs one refused task and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

void ExpectTheNextTaskToBeFine() {
  const WorkerOutcome next = RunOnShared(TrainRequest({}));
  EXPECT_TRUE(next.ok()) << next.detail;
}

LinePlan PlanWhoseLoss(std::string body) {
  LinePlan plan;
  plan.loss = "\n    " + body;
  return plan;
}

constexpr const char* kForEver = R"(total = torch.zeros_like(batch["x"])
    while True:
        total = total + self.slope
    return total)";

TEST(HostilePlanTest, LoopingForEverEndsAtTheWallTimeCap) {
  TaskLimits limits = RoomyLimits();
  limits.wall_time = absl::Seconds(2);
  const WorkerOutcome outcome = RunOnShared(TrainRequest(PlanWhoseLoss(kForEver)), limits);
  EXPECT_EQ(outcome.end, WorkerEnd::kWallTimeCap) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr("2s"));
  ExpectTheNextTaskToBeFine();
}

TEST(HostilePlanTest, LoopingForEverEndsAtTheCpuTimeCap) {
  TaskLimits limits = RoomyLimits();
  limits.cpu_time = absl::Seconds(1);
  const WorkerOutcome outcome = RunOnShared(TrainRequest(PlanWhoseLoss(kForEver)), limits);
  EXPECT_EQ(outcome.end, WorkerEnd::kCpuTimeCap) << outcome.detail;
  ExpectTheNextTaskToBeFine();
}

TEST(HostilePlanTest, LoopingForEverEndsWhenItsCallerGivesUp) {
  const std::unique_ptr<WorkerProcess> worker = StartWorker();
  std::stop_source stop;
  stop.request_stop();  // Before it even begins; the loop never reaches a next step.
  const WorkerOutcome outcome = worker->Run(TrainRequest(PlanWhoseLoss(kForEver)), RoomyLimits(), {}, stop.get_token());
  EXPECT_EQ(outcome.end, WorkerEnd::kStopped);
  EXPECT_FALSE(worker->alive());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(HostilePlanTest, AllocatingWithoutEndEndsAtTheMemoryCap) {
  TaskLimits limits = RoomyLimits();
  limits.memory = uint64_t{512} << 20;
  const WorkerOutcome outcome = RunOnShared(TrainRequest(PlanWhoseLoss(R"(hoard = [batch["x"]]
    while True:
        hoard.append(torch.ones([1000000]))
    return hoard[0])")),
                                            limits);
  EXPECT_EQ(outcome.end, WorkerEnd::kMemoryCap) << outcome.detail;
  EXPECT_LE(outcome.use.memory_peak, uint64_t{560} << 20);  // The cap, and what libraries differ by.
  ExpectTheNextTaskToBeFine();
}

TEST(HostilePlanTest, TheSmallestCapIsEnoughForASmallPlan) {
  TaskLimits limits = RoomyLimits();
  limits.memory = kPlanMemoryMin;
  const std::unique_ptr<WorkerProcess> worker = StartWorker();
  const WorkerOutcome outcome = worker->Run(TrainRequest({}), limits);
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
}

TEST(HostilePlanTest, OneHugeAllocationEndsAtTheMemoryCap) {
  const WorkerOutcome outcome =
      RunOnShared(TrainRequest(PlanWhoseLoss("return torch.zeros([1000000000000])[:16] + self.slope")));
  EXPECT_EQ(outcome.end, WorkerEnd::kMemoryCap) << outcome.detail;
  ExpectTheNextTaskToBeFine();
}
#endif

TEST(HostilePlanTest, CrashingTheCompilerIsACrashOfOneWorker) {
  std::string nested = "return ";
  nested.append(200'000, '(').append("batch[\"x\"]").append(200'000, ')');
  const WorkerOutcome outcome = RunOnShared(TrainRequest(PlanWhoseLoss(nested)));
  EXPECT_EQ(outcome.end, WorkerEnd::kCrash) << outcome.detail;
  ExpectTheNextTaskToBeFine();
}

TEST(HostilePlanTest, TrainingOnNonsenseIsAPlanError) {
  LinePlan plan;
  plan.training = "learning_rate = 100.0\nepochs = 1000\nbatch_size = 4";
  const WorkerOutcome outcome = RunOnShared(TrainRequest(plan));
  EXPECT_EQ(outcome.end, WorkerEnd::kPlanError) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr("learning_rate"));
  ExpectTheNextTaskToBeFine();
}

struct ForbiddenCall {
  std::string name;
  std::string code;
  std::string told;
};

class ForbiddenCallTest : public ::testing::TestWithParam<ForbiddenCall> {};

TEST_P(ForbiddenCallTest, IsFoundBeforeAnythingRuns) {
  const LinePlan plan = PlanWhoseLoss(GetParam().code + "\n    return torch.square(batch[\"x\"] * self.slope)");
  for (const v1::WorkerRequest& request : {TrainRequest(plan), InspectRequest(plan)}) {
    const WorkerOutcome outcome = RunOnShared(request);
    EXPECT_EQ(outcome.end, WorkerEnd::kPlanInvalid) << outcome.detail;
    EXPECT_THAT(outcome.detail, HasSubstr(GetParam().told));
  }
  ExpectTheNextTaskToBeFine();
}

INSTANTIATE_TEST_SUITE_P(
    , ForbiddenCallTest,
    ::testing::Values(ForbiddenCall{"ReadsAFile", "return torch.from_file(\"/etc/passwd\", False, 16) * self.slope",
                                    "aten::from_file"},
                      ForbiddenCall{"WritesAFile", "return torch.from_file(\"/tmp/escape\", True, 16) * self.slope",
                                    "aten::from_file"},
                      ForbiddenCall{"SavesATensor", "torch.save(batch[\"x\"], \"/tmp/escape\")", "aten::save"},
                      ForbiddenCall{"HidesInALoop",
                                    "for i in range(3):\n        if i > 5:\n            torch.save(i, \"/tmp/escape\")",
                                    "aten::save"},
                      ForbiddenCall{"ReadsOldMemory", "return torch.empty([100]) * self.slope", "use torch.zeros"},
                      ForbiddenCall{"LooksOutsideATensor",
                                    "return torch.as_strided(batch[\"x\"], [9], [1], 1000) * self.slope",
                                    "aten::as_strided"},
                      ForbiddenCall{"SetsTheSeed", "torch.manual_seed(1)", "aten::manual_seed"},
                      ForbiddenCall{"KeepsState", "self.slope = batch[\"x\"]", "prim::SetAttr"}),
    [](const auto& test) { return test.param.name; });

TEST(HostilePlanTest, AForbiddenCallInAMethodThatAnotherCallsIsFoundToo) {
  LinePlan plan = PlanWhoseLoss("return self.helper(batch[\"x\"]) * self.slope");
  plan.more = "\ndef helper(self, x: Tensor) -> Tensor:\n    torch.save(x, \"/tmp/escape\")\n    return x\n";
  const WorkerOutcome outcome = RunOnShared(TrainRequest(plan));
  EXPECT_EQ(outcome.end, WorkerEnd::kPlanInvalid) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr("aten::save"));
}

}  // namespace
}  // namespace aisle
