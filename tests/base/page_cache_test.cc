#include "base/storage/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/storage/resident.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

constexpr size_t kSize = 1 << 20;

TEST(PageCacheTest, WhatIsOnTheDiskLeavesMemory) {
  const TemporaryFolder folder;
  if (!CanLeaveMemory(folder.path())) GTEST_SKIP() << "no disk below " << folder.path();
  const std::string path = folder.Write("file", std::string(kSize, 'x'));
  const FileDescriptor file = OpenFile(path, O_RDWR).value();
  ASSERT_TRUE(SyncData(file.get(), path).ok());
  ASSERT_EQ(ResidentBytesOf(path), kSize);
  DropFromMemory(file.get(), 0, kSize);
  EXPECT_EQ(ResidentBytesOf(path), 0u);
}

TEST(PageCacheTest, LosesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("file", std::string(kSize, 'x'));
  const FileDescriptor file = OpenFile(path, O_RDWR).value();
  ASSERT_TRUE(WriteAllAt(file.get(), "not on the disk yet", 5000, path).ok());
  StartWriting(file.get(), 0, kSize);
  DropFromMemory(file.get(), 0, kSize);
  std::string expected(kSize, 'x');
  expected.replace(5000, 19, "not on the disk yet");
  EXPECT_TRUE(folder.Read("file") == expected);
}

}  // namespace
}  // namespace aisle
