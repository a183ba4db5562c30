#include "tests/simulation/process.h"

#include <gtest/gtest.h>

#include <vector>

namespace aisle::simulation {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  void Run(absl::Duration time) {
    const absl::Time until = timeline_.Now() + time;
    while (timeline_.RunNext(until)) continue;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'800'000'000);
  Timeline timeline_{start_};
  MachineClock clock_{timeline_};
  AesCtrStream random_{SecretBytes(32), "process"};
  Process process_{timeline_, clock_, random_};
};

TEST_F(ProcessTest, RunsWhatIsPostedInOrderAndTimersWhenDue) {
  Lane& lane = process_.AddLane(false);
  std::vector<int> ran;
  lane.PostAt(start_ + absl::Seconds(2), [&] { ran.push_back(3); });
  const Executor::TimerId cancelled = lane.PostAt(start_ + absl::Seconds(1), [&] { ran.push_back(9); });
  lane.Post([&] { ran.push_back(1); });
  lane.Post([&] { ran.push_back(2); });
  lane.Cancel(cancelled);
  Run(absl::Seconds(1));
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  Run(absl::Seconds(2));
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST_F(ProcessTest, ATaskThatBlocksHoldsUpItsOwnLaneOnly) {
  Lane& blocking = process_.AddLane(true);
  Lane& other = process_.AddLane(false);
  std::vector<int> ran;
  bool ready = false;
  blocking.Post([&] {
    WaitUntil(process_, [&] { return ready; });
    ran.push_back(2);
  });
  blocking.Post([&] { ran.push_back(3); });
  other.Post([&] { ran.push_back(1); });
  Run(absl::Seconds(1));
  EXPECT_EQ(ran, std::vector<int>{1});
  EXPECT_TRUE(blocking.busy());
  blocking.Wake();  // Too early: it looks, and waits on.
  Run(absl::Seconds(1));
  EXPECT_TRUE(blocking.busy());
  ready = true;
  blocking.Wake();
  Run(absl::Seconds(1));
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST_F(ProcessTest, DeathEndsTheTaskInHandAndDropsTheRest) {
  Lane& lane = process_.AddLane(true);
  std::vector<int> ran;
  lane.Post([&] {
    WaitUntil(process_, [] { return false; });
    ran.push_back(process_.dead() ? 1 : 0);
  });
  lane.Post([&] { ran.push_back(2); });
  Run(absl::Seconds(1));
  process_.Die();
  lane.Post([&] { ran.push_back(3); });
  Run(absl::Seconds(1));
  EXPECT_EQ(ran, std::vector<int>{1});
}

TEST_F(ProcessTest, TimersGoByTheMachinesClock) {
  Lane& lane = process_.AddLane(false);
  absl::Time ran;
  lane.PostAt(start_ + absl::Hours(1), [&] { ran = timeline_.Now(); });
  clock_.Jump(absl::Minutes(59));
  Run(absl::Minutes(2));
  EXPECT_GE(ran, start_ + absl::Minutes(1));
  EXPECT_LE(ran, start_ + absl::Minutes(1) + absl::Seconds(1));

  ran = {};
  lane.PostAt(clock_.Now() + absl::Minutes(1), [&] { ran = timeline_.Now(); });
  clock_.Jump(absl::Hours(-1));
  Run(absl::Minutes(60));
  EXPECT_EQ(ran, absl::Time());
  Run(absl::Minutes(2));
  EXPECT_NE(ran, absl::Time());
}

TEST_F(ProcessTest, AClockMayRunTooFast) {
  clock_.SetRate(2);
  Run(absl::Hours(1));
  EXPECT_EQ(clock_.Now(), start_ + absl::Hours(2));
  EXPECT_GE(clock_.TrueTimeOf(start_ + absl::Hours(4)), start_ + absl::Hours(2));
}

}  // namespace
}  // namespace aisle::simulation
