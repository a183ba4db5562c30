#include "base/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace aisle {
namespace {

TEST(StopSignalsTest, WaitUntilTheyAreAskedFor) {
  const StopSignals stop = StopSignals::Block();
  EXPECT_FALSE(stop.pending());
  for (const int signal : {SIGTERM, SIGINT}) {
    ASSERT_EQ(::kill(::getpid(), signal), 0);
    EXPECT_TRUE(stop.pending());
    EXPECT_EQ(stop.Wait(), signal);
    EXPECT_FALSE(stop.pending());
  }
}

TEST(StopSignalsTest, ReachNoThreadThatStartsLater) {
  const StopSignals stop = StopSignals::Block();
  std::thread([] { ASSERT_EQ(::kill(::getpid(), SIGTERM), 0); }).join();
  EXPECT_EQ(stop.Wait(), SIGTERM);
}

TEST(StopSignalsTest, APeerThatHungUpIsAnErrorOnly) {
  StopSignals::Block();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace aisle
