#include "coordinator/uploads/shared_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace aisle {
namespace {

TEST(SharedSyncTest, CoversEveryCallerWithFewerSyncs) {
  std::atomic<int> written = 0;
  std::atomic<int> covered = 0;
  std::atomic<int> syncs = 0;
  SharedSync sync([&] {
    covered = written.load();
    ++syncs;
    return OkStatus();
  });
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const int mine = ++written;
        EXPECT_TRUE(sync.Sync().ok());
        EXPECT_GE(covered, mine);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(syncs, 800);
}

TEST(SharedSyncTest, PassesOnWhatIsWrong) {
  Status next = ResourceExhausted("full");
  SharedSync sync([&] { return next; });
  EXPECT_EQ(sync.Sync().code(), StatusCode::kResourceExhausted);
  next = OkStatus();
  EXPECT_TRUE(sync.Sync().ok());
}

}  // namespace
}  // namespace aisle
