#include "tests/simulation/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/random.h"
#include "base/storage/durability.h"
#include "base/storage/files.h"
#include "base/storage/page_cache.h"

namespace aisle::simulation {
namespace {

class DiskTest : public ::testing::Test {
 protected:
  std::string Read(const std::string& name) { return ReadFile(disk_.File(name)).value_or("(none)"); }
  // As `file` says after many power cuts, each from the same state.
  template <typename Prepare>
  std::set<std::string> AfterCuts(const std::string& name, Prepare prepare) {
    std::set<std::string> seen;
    for (int i = 0; i < 60; ++i) {
      Disk disk("cuts");
      prepare(disk);
      disk.LosePower(random_);
      seen.insert(ReadFile(disk.File(name)).value_or("(none)"));
    }
    return seen;
  }

  Disk disk_{"disk"};
  AesCtrStream random_{SecretBytes(32), "disk"};
};

TEST_F(DiskTest, TakesTheRealFileCalls) {
  ASSERT_TRUE(MakeFolders(disk_.File("a/b")).ok());
  ASSERT_TRUE(WriteFileDurably(disk_.File("a/b/c"), "hello").ok());
  EXPECT_EQ(Read("a/b/c"), "hello");
  EXPECT_EQ(FileSize(disk_.File("a/b/c")).value(), 5U);
  EXPECT_TRUE(FileExists(disk_.File("a/b")));
  EXPECT_FALSE(FileExists(disk_.File("a/c")));
  EXPECT_FALSE(std::filesystem::exists("/simulated/disk/a/c"));
  EXPECT_FALSE(Disk::IsSimulated("/tmp/simulated/disk"));
}

TEST_F(DiskTest, ListsAndRemovesAsStdFilesystemDoes) {
  ASSERT_TRUE(MakeFolders(disk_.File("a/b")).ok());
  for (const char* name : {"a/1", "a/2", "a/b/3"}) ASSERT_TRUE(WriteFileDurably(disk_.File(name), name).ok());
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(disk_.File("a"))) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names, (std::set<std::string>{"1", "2", "b", "3"}));
  ASSERT_TRUE(RemoveFilesBut(disk_.File("a/b"), "").ok());
  EXPECT_EQ(std::filesystem::remove_all(disk_.File("a")), 4U);
  EXPECT_FALSE(FileExists(disk_.File("a")));
}

TEST_F(DiskTest, LosesTearsOrKeepsWhatWasNotSynced) {
  const std::set<std::string> seen = AfterCuts("file", [](Disk& disk) {
    const FileDescriptor file = OpenFile(disk.File("file"), O_WRONLY | O_CREAT).value();
    ASSERT_TRUE(SyncFolder(disk.folder()).ok());
    ASSERT_TRUE(WriteAll(file.get(), "abc", "file").ok());
  });
  EXPECT_TRUE(seen.contains(""));
  EXPECT_TRUE(seen.contains("abc"));
  EXPECT_TRUE(seen.contains("a") || seen.contains("ab"));
}

TEST_F(DiskTest, KeepsWhatWasSynced) {
  EXPECT_EQ(AfterCuts("file", [](Disk& disk) { ASSERT_TRUE(WriteFileDurably(disk.File("file"), "abc").ok()); }),
            std::set<std::string>{"abc"});
}

TEST_F(DiskTest, MayForgetANameWhoseFolderWasNotSynced) {
  const std::set<std::string> seen = AfterCuts("file", [](Disk& disk) {
    const FileDescriptor file = OpenFile(disk.File("file"), O_WRONLY | O_CREAT).value();
    ASSERT_TRUE(WriteAll(file.get(), "abc", "file").ok());
    ASSERT_TRUE(SyncData(file.get(), "file").ok());
  });
  EXPECT_EQ(seen, (std::set<std::string>{"(none)", "abc"}));
}

// Whatever the instant, and whether the power goes too: a durable write is there or it isn't.
TEST_F(DiskTest, ADurableWriteIsOldOrNewWhereverItIsInterrupted) {
  for (const bool power : {false, true}) {
    for (uint64_t nth = 1; nth <= 6; ++nth) {
      Disk disk("law");
      ASSERT_TRUE(WriteFileDurably(disk.File("file"), "old").ok());
      uint64_t left = nth;
      disk.BeforeChange([&] {
        if (--left == 0) disk.Freeze();
      });
      const bool done = WriteFileDurably(disk.File("file"), "new").ok();
      disk.Thaw();
      disk.BeforeChange({});
      if (power) disk.LosePower(random_);
      const std::string content = ReadFile(disk.File("file")).value();
      EXPECT_TRUE(content == "new" || (!done && content == "old")) << nth << " " << content;
    }
  }
}

TEST_F(DiskTest, RefusesChangesWhileItIsFrozen) {
  ASSERT_TRUE(WriteFileDurably(disk_.File("file"), "old").ok());
  disk_.Freeze();
  EXPECT_EQ(WriteFileDurably(disk_.File("file"), "new").code(), StatusCode::kUnavailable);
  EXPECT_FALSE(RemoveFile(disk_.File("file")).ok());
  EXPECT_FALSE(MakeFolders(disk_.File("folder")).ok());
  EXPECT_EQ(Read("file"), "old");
}

TEST_F(DiskTest, IsFullAtItsCapacity) {
  disk_.SetCapacity(10);
  EXPECT_TRUE(WriteFileDurably(disk_.File("file"), "12345").ok());
  EXPECT_EQ(WriteFileDurably(disk_.File("other"), "123456").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Read("other"), "(none)");
  EXPECT_EQ(disk_.used(), 5U);
}

TEST_F(DiskTest, ShowsWhatAFailedSyncHasLostUntilItIsReadAnew) {
  std::set<std::string> left;
  for (int i = 0; i < 20; ++i) {
    Disk disk("failing");
    const std::string path = disk.File("file");
    const FileDescriptor file = OpenFile(path, O_WRONLY | O_CREAT).value();
    ASSERT_TRUE(WriteAll(file.get(), "abc", path).ok());
    disk.FailSyncs(random_);
    EXPECT_EQ(::fdatasync(file.get()), -1);
    disk.MendSyncs();
    EXPECT_EQ(::fdatasync(file.get()), 0);
    EXPECT_EQ(disk.Content(path), "abc");
    ASSERT_TRUE(WriteAll(file.get(), "d", path).ok());
    DropFromMemory(file.get(), 0, 0);
    left.insert(disk.Content(path));
  }
  EXPECT_EQ(left, (std::set<std::string>{"abcd", std::string("\0\0\0d", 4)}));
}

// Whoever goes on over a file that couldn't be synced sees what the disk holds, and each loss is told.
TEST_F(DiskTest, OurSyncTellsOfALossAndShowsWhatIsLeft) {
  const std::string path = disk_.File("file");
  const FileDescriptor file = OpenFile(path, O_WRONLY | O_CREAT).value();
  std::vector<std::string> lost;
  OnDurabilityLost([&](const std::string& what, const Status&) { lost.push_back(what); });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(WriteAllAt(file.get(), std::to_string(10 + i), 0, path).ok());
    disk_.FailSyncs(random_);
    EXPECT_FALSE(SyncData(file.get(), path).ok());
    disk_.MendSyncs();
    EXPECT_EQ(disk_.Content(path), disk_.Synced(path));
  }
  OnDurabilityLost(nullptr);
  EXPECT_EQ(lost, std::vector<std::string>(20, path));
}

}  // namespace
}  // namespace aisle::simulation
