#include "coordinator/uploads/shared_sync.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
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

bool IsAsleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  return stat.find(") S ") != std::string::npos;
}

// Two share a failed sync. Both hear of it, also if one of them has begun another, which goes well, before the other
// has woken.
TEST(SharedSyncTest, ALaterSyncDoesNotHideAFailedOne) {
  for (int turn = 0; turn < 200; ++turn) {
    std::atomic<int> syncs = 0;
    std::atomic<bool> go_on = false;
    SharedSync sync([&] {
      const int number = ++syncs;
      if (number == 1) go_on.wait(false);  // Until the two have gathered behind it.
      return number == 2 ? Unavailable("lost") : OkStatus();
    });
    std::thread first([&] { EXPECT_TRUE(sync.Sync().ok()); });
    while (syncs == 0) std::this_thread::yield();
    std::array<std::atomic<pid_t>, 2> ids = {};
    std::vector<std::thread> callers;
    for (std::atomic<pid_t>& id : ids) {
      callers.emplace_back([&] {
        id = ::gettid();
        EXPECT_FALSE(sync.Sync().ok());
        EXPECT_TRUE(sync.Sync().ok());
      });
    }
    while (!std::ranges::all_of(ids, [](const auto& id) { return id != 0 && IsAsleep(id); })) std::this_thread::yield();
    go_on = true;
    go_on.notify_all();
    first.join();
    for (std::thread& caller : callers) caller.join();
  }
}

}  // namespace
}  // namespace aisle
