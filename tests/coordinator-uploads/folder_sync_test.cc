#include "coordinator/uploads/folder_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

TEST(FolderSyncTest, ServesManyCallersAtOnce) {
  const TemporaryFolder folder;
  FolderSync sync(folder.path());
  std::atomic<int> synced = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) synced += sync.Sync().ok();
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(synced, 200);
}

TEST(FolderSyncTest, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  FolderSync sync(folder.File("gone"));
  EXPECT_EQ(sync.Sync().code(), StatusCode::kNotFound);
  std::filesystem::create_directory(folder.File("gone"));
  EXPECT_TRUE(sync.Sync().ok());
}

}  // namespace
}  // namespace aisle
