// Full and frozen disks, processes that are killed, and what our own files and RocksDB make of it all.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/storage/durability.h"
#include "base/storage/files.h"
#include "base/storage/key_value_store.h"
#include "tests/faulty-disk/disk_under_test.h"

namespace aisle::faulty_disk {
namespace {

using FullDiskTest = DiskTest;

TEST_F(FullDiskTest, TakesWhatFitsAndThenRefuses) {
  disk->FillAfter(10);
  const int fd = ::open(File("file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(::write(fd, "123456", 6), 6);
  EXPECT_EQ(::write(fd, "123456", 6), 4);
  EXPECT_EQ(::write(fd, "123456", 6), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(::pwrite(fd, "overwritten", 10, 0), 10) << "what is there needs no space";
  EXPECT_EQ(::posix_fallocate(fd, 0, 11), ENOSPC);
  disk->Empty();
  EXPECT_EQ(::write(fd, "123456", 6), 6);
  ::close(fd);
}

TEST_F(FullDiskTest, WhatIsRemovedMakesRoom) {
  MakeDurable("old", std::string(100, 'x'));
  disk->FillAfter(0);
  const int fd = ::open(File("file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(::write(fd, "1", 1), -1);
  EXPECT_EQ(::truncate(File("old").c_str(), 60), 0);
  EXPECT_EQ(::write(fd, std::string(100, 'y').data(), 100), 40);
  EXPECT_EQ(::unlink(File("old").c_str()), 0);
  EXPECT_EQ(::write(fd, std::string(100, 'y').data(), 100), 60);
  ::close(fd);
}

TEST_F(FullDiskTest, SaysSoToWhoAsksForItsSpace) {
  disk->FillAfter(1 << 20);
  struct statvfs space {};
  ASSERT_EQ(::statvfs(folder.File("disk").c_str(), &space), 0);
  EXPECT_EQ(uint64_t{space.f_bavail} * space.f_frsize, 1u << 20);
  EXPECT_EQ(std::filesystem::space(folder.File("disk")).available, 1u << 20);
}

TEST_F(FullDiskTest, IsNamedByOurFiles) {
  ASSERT_TRUE(WriteFileDurably(File("file"), "before").ok());
  disk->FillAfter(3);
  EXPECT_EQ(WriteFileDurably(File("file"), "afterwards").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Read("file"), "before");
  EXPECT_FALSE(FileExists(File("file.tmp")));
}

using FrozenDiskTest = DiskTest;

TEST_F(FrozenDiskTest, RefusesEveryChangeAndStillReads) {
  MakeDurable("file", "content");
  const auto before = Tree();
  const int fd = ::open(File("file").c_str(), O_RDWR | O_CLOEXEC);
  disk->Freeze();
  EXPECT_EQ(::write(fd, "x", 1), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(::ftruncate(fd, 0), -1);
  EXPECT_EQ(::fsync(fd), -1);
  EXPECT_EQ(::open(File("new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
  EXPECT_EQ(::open(File("file").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC), -1);
  EXPECT_EQ(::mkdir(File("new").c_str(), 0700), -1);
  EXPECT_EQ(::link(File("file").c_str(), File("new").c_str()), -1);
  EXPECT_EQ(::rename(File("file").c_str(), File("new").c_str()), -1);
  EXPECT_EQ(::unlink(File("file").c_str()), -1);
  EXPECT_EQ(Tree(), before);
  disk->Thaw();
  EXPECT_EQ(::write(fd, "x", 1), 1);
  ::close(fd);
}

TEST_F(FrozenDiskTest, OthersGoOn) {
  FaultyDisk other({folder.File("other")}, folder.File("other.journal"));
  disk->Freeze();
  EXPECT_TRUE(WriteFileDurably(folder.File("other/file"), "x").ok());
  EXPECT_FALSE(WriteFileDurably(File("file"), "x").ok());
  other.CutPower(SeedOf(Mood::kLoseAll));
  EXPECT_EQ(folder.Read("other/file"), "x");
}

using OurFilesTest = DiskTest;

TEST_F(OurFilesTest, AreThereAfterAnyCutOnceTheyWereWrittenDurably) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const std::string name = "some/new/folders/" + std::to_string(seed);
    ASSERT_TRUE(MakeFolders(File("some/new/folders")).ok());
    ASSERT_TRUE(WriteFileDurably(File(name), "content").ok());
    disk->CutPower(seed);
    ASSERT_EQ(Read(name), "content") << seed;
    std::filesystem::remove_all(File("some"));
    SyncFolder(folder.File("disk"));
  }
}

TEST_F(OurFilesTest, AFolderThatAKilledProgramMadeIsDurableOnceItIsMadeAgain) {
  ASSERT_EQ(::mkdir(File("data").c_str(), 0750), 0);  // Killed before it could sync anything.
  ASSERT_EQ(::mkdir(File("data/rows").c_str(), 0750), 0);
  ASSERT_TRUE(MakeFolders(File("data/rows")).ok());
  ASSERT_TRUE(WriteFileDurably(File("data/rows/one"), "kept").ok());
  LoseAll();
  EXPECT_EQ(Read("data/rows/one"), "kept");
}

TEST_F(OurFilesTest, HoldTheOldContentOrTheNewAtAnyInstant) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    disk->FailSyncs(UINT64_MAX, 0);
    ASSERT_TRUE(WriteFileDurably(File("file"), "the old content").ok());
    disk->FailSyncs(seed % 3, 1);  // Never reached, the file's sync, the folder's.
    static_cast<void>(WriteFileDurably(File("file"), "something new"));
    disk->CutPower(seed);
    const std::string left = Read("file");
    ASSERT_TRUE(left == "the old content" || left == "something new") << left;
  }
}

constexpr uint32_t kNobody = UINT32_MAX;

// Writes keys one by one, every third one synced, and tells of those.
[[noreturn]] void WriteUntilKilled(const std::string& path, int tell) {
  auto store = KeyValueStore::Open(path, {.families = {"rows"}, .write_buffer_size = 64 << 10});
  if (!store.ok()) ::_exit(3);
  const Family rows = (*store)->FamilyNamed("rows");
  for (uint32_t i = 0;; ++i) {
    const std::string value(1000, static_cast<char>('a' + i % 26));
    const auto durability = i % 3 == 0 ? Durability::kSynced : Durability::kBuffered;
    if (!(*store)->Put(rows, std::to_string(i), value, durability).ok()) ::_exit(4);
    if (durability == Durability::kSynced && ::write(tell, &i, sizeof i) != sizeof i) ::_exit(5);
  }
}

// Tells the first key up to `last` that isn't there.
[[noreturn]] void LookForAll(const std::string& path, uint32_t last, int tell) {
  auto store = KeyValueStore::Open(path, {.families = {"rows"}});
  if (!store.ok()) ::_exit(3);
  uint32_t missing = kNobody;
  for (uint32_t i = 0; i <= last && missing == kNobody; ++i) {
    const auto there = (*store)->Contains((*store)->FamilyNamed("rows"), std::to_string(i));
    if (!there.ok() || !*there) missing = i;
  }
  const bool told = ::write(tell, &missing, sizeof missing) == sizeof missing;
  store->reset();
  ::_exit(told ? 0 : 5);
}

// A process of its own with what it tells: RocksDB's threads don't outlive a fork, so the test itself never opens one.
class Child {
 public:
  template <typename Body>
  explicit Child(Body body) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) body(ends[1]);
    ::close(ends[1]);
    told_ = ends[0];
  }
  ~Child() { ::close(told_); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // False when it has ended.
  bool Hear(uint32_t& number) const { return ::read(told_, &number, sizeof number) == sizeof number; }
  void Kill() const { ::kill(pid_, SIGKILL); }
  int Wait() const {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    return status;
  }

 private:
  pid_t pid_ = -1;
  int told_ = -1;
};

TEST_F(OurFilesTest, ADatabaseKeepsWhatItSyncedThroughKillsAndPowerCuts) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    StartAnew();
    const Child writer([this](int tell) { WriteUntilKilled(File("db"), tell); });
    uint32_t last = 0;
    for (uint64_t left = 40 + 31 * seed; left > 0 && writer.Hear(last); --left) {
    }
    writer.Kill();
    ASSERT_TRUE(WIFSIGNALED(writer.Wait())) << "it ended by itself";
    while (writer.Hear(last)) {
    }
    disk->CutPower(seed);
    const Child reader([this, last](int tell) { LookForAll(File("db"), last, tell); });
    uint32_t missing = 0;
    ASSERT_TRUE(reader.Hear(missing)) << "the database can't be opened after the cut with seed " << seed;
    ASSERT_EQ(reader.Wait(), 0);
    ASSERT_EQ(missing, kNobody) << "lost, though " << last << " was synced; seed " << seed;
  }
}

// Tells how often a loss was told of once the disk was full, and once its syncs failed.
[[noreturn]] void MeetABadDisk(const std::string& path, FaultyDisk& disk, int tell) {
  uint32_t losses = 0;
  OnDurabilityLost([&](const std::string& where, const Status&) { losses += where == path ? 1 : 1000; });
  auto store = KeyValueStore::Open(path, {.families = {"rows"}, .disk_reserve = 0});
  if (!store.ok()) ::_exit(3);
  const Family rows = (*store)->FamilyNamed("rows");
  const auto put = [&] { return (*store)->Put(rows, "key", std::string(1000, 'x'), Durability::kSynced).ok(); };
  const auto say = [&] {
    if (::write(tell, &losses, sizeof losses) != sizeof losses) ::_exit(5);
  };
  if (!put()) ::_exit(4);
  disk.FillAfter(100);
  if (put()) ::_exit(6);
  say();
  disk.Empty();
  disk.FailSyncs(0, 1);
  if (put()) ::_exit(7);
  say();
  ::_exit(0);
}

TEST_F(OurFilesTest, ADatabaseTellsOfASyncThatFailedAndNotOfAFullDisk) {
  const Child child([this](int tell) { MeetABadDisk(File("db"), *disk, tell); });
  uint32_t when_full = kNobody;
  uint32_t when_failed = 0;
  EXPECT_TRUE(child.Hear(when_full) && child.Hear(when_failed));
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(when_full, 0U);
  EXPECT_GE(when_failed, 1U);
  EXPECT_LT(when_failed, 1000U);
}

}  // namespace
}  // namespace aisle::faulty_disk
