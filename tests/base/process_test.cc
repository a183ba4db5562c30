#include "base/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
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

TEST(OpenFilesTest, AsManyAsTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(RaiseOpenFilesLimit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace aisle
