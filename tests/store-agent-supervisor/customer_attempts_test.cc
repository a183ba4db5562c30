#include "store-agent/supervisor/customer_attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/storage/files.h"
#include "tests/storage/temporary_folder.h"

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

// A worker that counts its runs in a file and ends each as `ending` says.
class KilledWorkerTest : public ::testing::Test {
 protected:
  CustomerAttempts Run(const std::string& ending) {
    const std::string program = folder_.Write(
        "worker.sh", "#!/bin/sh\nhead -c 4 >/dev/null\necho run >>" + folder_.File("runs") + "\n" + ending);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    std::unique_ptr<WorkerProcess> worker;
    v1::WorkerRequest request;
    request.mutable_train();
    return RunWithoutWhoeverBreaksIt(
        worker, program, request,
        {.memory = uint64_t{1} << 30, .cpu_time = absl::Seconds(60), .wall_time = absl::Seconds(60)}, {});
  }
  int runs() const { return static_cast<int>(std::ranges::count(ReadFile(folder_.File("runs")).value(), '\n')); }

  TemporaryFolder folder_;
};

TEST_F(KilledWorkerTest, IsStartedAgainAFewTimes) {
  const CustomerAttempts attempts = Run("kill -9 $$");
  EXPECT_EQ(attempts.outcome.end, WorkerEnd::kMemoryCap);
  EXPECT_TRUE(attempts.outcome.killed);
  EXPECT_EQ(runs(), 1 + kAccidentsMax);
}

TEST_F(KilledWorkerTest, ADeathOfItsOwnIsNoAccident) {
  const CustomerAttempts attempts = Run("kill -SEGV $$");
  EXPECT_EQ(attempts.outcome.end, WorkerEnd::kCrash);
  EXPECT_FALSE(attempts.outcome.killed);
  EXPECT_EQ(runs(), 1);
}

}  // namespace
}  // namespace aisle
