#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace aisle {
namespace {

TEST(ThreadPoolTest, RunsTasksBesideEachOther) {
  ThreadPool pool("test", 3);
  std::latch all_here(3);
  std::latch done(3);
  for (int i = 0; i < 3; ++i) {
    pool.Post([&] {
      all_here.arrive_and_wait();  // Would never end if one had to wait for another.
      done.count_down();
    });
  }
  done.wait();
}

TEST(ThreadPoolTest, ShutdownFinishesWhatRunsAndDropsWhatWaits) {
  std::atomic<int> finished = 0;
  std::latch begun(1);
  std::latch go_on(1);
  ThreadPool pool("test", 1);
  pool.Post([&] {
    begun.count_down();
    go_on.wait();
    ++finished;
  });
  pool.Post([&] { finished += 100; });
  begun.wait();
  std::thread release([&] { go_on.count_down(); });
  pool.Shutdown();
  release.join();
  pool.Post([&] { finished += 100; });
  EXPECT_EQ(finished % 100, 1);
}

}  // namespace
}  // namespace aisle
