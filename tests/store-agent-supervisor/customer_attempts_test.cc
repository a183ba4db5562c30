#include "store-agent/supervisor/customer_attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

using ::testing::ElementsAre;

WorkerOutcome EndedOver(std::vector<uint32_t> customers, WorkerEnd end = WorkerEnd::kCrash, uint32_t step = 0) {
  WorkerOutcome outcome;
  outcome.end = end;
  outcome.mark = {.step = step, .customers = std::move(customers)};
  return outcome;
}

TEST(LeaveOutWhoeverBrokeItTest, OneCustomerIsLeftOutFromThatStepOn) {
  v1::TrainTask task;
  EXPECT_TRUE(LeaveOutWhoeverBrokeIt(EndedOver({7}, WorkerEnd::kCustomerTimeCap, 3), task));
  ASSERT_EQ(task.left_out_size(), 1);
  EXPECT_EQ(task.left_out(0).customer(), 7U);
  EXPECT_EQ(task.left_out(0).from_step(), 3U);
  EXPECT_EQ(task.alone_size(), 0);
}

TEST(LeaveOutWhoeverBrokeItTest, OfSeveralEachIsTriedAloneFirst) {
  v1::TrainTask task;
  EXPECT_TRUE(LeaveOutWhoeverBrokeIt(EndedOver({1, 4, 5}), task));
  EXPECT_EQ(task.left_out_size(), 0);
  EXPECT_THAT(task.alone(), ElementsAre(1, 4, 5));
  EXPECT_TRUE(LeaveOutWhoeverBrokeIt(EndedOver({5, 6}), task));
  EXPECT_THAT(task.alone(), ElementsAre(1, 4, 5, 6));
}

// Or a worker that doesn't do as it is told would be run for ever.
TEST(LeaveOutWhoeverBrokeItTest, NobodyIsBlamedTwice) {
  v1::TrainTask task;
  EXPECT_TRUE(LeaveOutWhoeverBrokeIt(EndedOver({7}), task));
  EXPECT_FALSE(LeaveOutWhoeverBrokeIt(EndedOver({7}), task));
  EXPECT_TRUE(LeaveOutWhoeverBrokeIt(EndedOver({1, 2}), task));
  EXPECT_FALSE(LeaveOutWhoeverBrokeIt(EndedOver({1, 2}), task));
}

TEST(LeaveOutWhoeverBrokeItTest, WhatIsNobodysDoingChangesNothing) {
  v1::TrainTask task;
  for (const WorkerEnd end : {WorkerEnd::kAnswered, WorkerEnd::kStopped, WorkerEnd::kCpuTimeCap,
                              WorkerEnd::kWallTimeCap, WorkerEnd::kBadFrame, WorkerEnd::kPlanInvalid}) {
    EXPECT_FALSE(LeaveOutWhoeverBrokeIt(EndedOver({7}, end), task)) << NameOf(end);
  }
  EXPECT_FALSE(LeaveOutWhoeverBrokeIt(EndedOver({}), task));
  EXPECT_EQ(task.left_out_size() + task.alone_size(), 0);
}

TEST(RunWithoutWhoeverBreaksItTest, AMissingProgramIsToldAtOnce) {
  std::unique_ptr<WorkerProcess> worker;
  v1::WorkerRequest request;
  request.mutable_train();
  const CustomerAttempts attempts = RunWithoutWhoeverBreaksIt(worker, "/nonexistent", request, {}, {});
  EXPECT_EQ(attempts.outcome.end, WorkerEnd::kNotStarted);
  EXPECT_EQ(worker, nullptr);
}

}  // namespace
}  // namespace aisle
