#include "base/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace aisle {
namespace {

TEST(ManualExecutorTest, RunsInOrderOfTimeThenOfPosting) {
  ManualExecutor executor;
  std::vector<int> ran;
  executor.PostAt(executor.Now() + absl::Seconds(2), [&] { ran.push_back(4); });
  executor.PostAt(executor.Now() + absl::Seconds(1), [&] {
    ran.push_back(3);
    executor.Post([&] { ran.push_back(5); });  // Due at once: before the one at two seconds.
  });
  executor.Post([&] { ran.push_back(1); });
  executor.Post([&] { ran.push_back(2); });
  executor.RunDue();
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  executor.Advance(absl::Seconds(2));
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3, 5, 4}));
}

TEST(ManualExecutorTest, EachTaskSeesItsOwnTime) {
  ManualExecutor executor;
  const absl::Time start = executor.Now();
  absl::Time seen;
  executor.PostAt(start + absl::Seconds(5), [&] { seen = executor.Now(); });
  executor.Advance(absl::Minutes(1));
  EXPECT_EQ(seen, start + absl::Seconds(5));
  EXPECT_EQ(executor.Now(), start + absl::Minutes(1));
}

TEST(ManualExecutorTest, CancelledTasksNeverRun) {
  ManualExecutor executor;
  bool ran = false;
  const auto timer = executor.PostAt(executor.Now() + absl::Seconds(1), [&] { ran = true; });
  executor.Cancel(timer);
  executor.Cancel(timer);
  executor.Cancel(12345);
  executor.Advance(absl::Minutes(1));
  EXPECT_FALSE(ran);
}

TEST(ThreadExecutorTest, RunsEverythingOnOneThreadInOrder) {
  ThreadExecutor executor("test");
  std::vector<int> ran;  // Touched by the executor's thread alone.
  for (int i = 0; i < 1000; ++i) {
    executor.Post([&, i] {
      EXPECT_TRUE(executor.IsThisThread());
      ran.push_back(i);
    });
  }
  executor.Drain();
  ASSERT_EQ(ran.size(), 1000);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

TEST(ThreadExecutorTest, TimersFire) {
  ThreadExecutor executor("test");
  std::promise<void> fired;
  executor.PostAt(executor.Now() + absl::Milliseconds(1), [&] { fired.set_value(); });
  fired.get_future().get();
}

TEST(ThreadExecutorTest, TasksFromManyThreadsAllRun) {
  ThreadExecutor executor("test");
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) executor.Post([&] { ++ran; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  executor.Drain();
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadExecutorTest, AfterShutdownNothingRuns) {
  ThreadExecutor executor("test");
  executor.Shutdown();
  bool ran = false;
  executor.Post([&] { ran = true; });
  executor.Shutdown();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace aisle
