// What a power cut leaves of a file's bytes: one law per call that changes them.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <ostream>
#include <set>

#include "tests/faulty-disk/disk_under_test.h"

namespace aisle::faulty_disk {
namespace {

constexpr std::string_view kBefore = "what the disk had before";

void With(const std::string& path, int flags, const std::function<void(int)>& use) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0) << path;
  use(fd);
  ::close(fd);
}

// Changes the file that held kBefore.
struct FileCall {
  const char* name;
  void (*change)(const std::string& path);
};
std::ostream& operator<<(std::ostream& out, const FileCall& call) { return out << call.name; }

const FileCall kFileCalls[] = {
    {"Write",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::write(fd, "WHAT", 4), 4); }); }},
    {"WriteAtTheEnd",
     [](const std::string& path) {
       With(path, O_WRONLY | O_APPEND, [](int fd) { EXPECT_EQ(::write(fd, "!", 1), 1); });
     }},
    {"WriteBehindTheEnd",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::pwrite(fd, "!", 1, 100), 1); }); }},
    {"Pwrite",
     [](const std::string& path) { With(path, O_RDWR, [](int fd) { EXPECT_EQ(::pwrite(fd, "disc", 4, 9), 4); }); }},
    {"Pwrite64",
     [](const std::string& path) { With(path, O_RDWR, [](int fd) { EXPECT_EQ(::pwrite64(fd, "disc", 4, 9), 4); }); }},
    {"Writev",
     [](const std::string& path) {
       With(path, O_WRONLY, [](int fd) {
         std::array<char, 2> a = {'W', 'H'};
         std::array<char, 2> b = {'A', 'T'};
         const std::array<iovec, 2> parts = {iovec{a.data(), a.size()}, iovec{b.data(), b.size()}};
         EXPECT_EQ(::writev(fd, parts.data(), 2), 4);
       });
     }},
    {"Pwritev",
     [](const std::string& path) {
       With(path, O_WRONLY, [](int fd) {
         std::array<char, 4> a = {'d', 'i', 's', 'c'};
         const std::array<iovec, 1> parts = {iovec{a.data(), a.size()}};
         EXPECT_EQ(::pwritev(fd, parts.data(), 1, 9), 4);
       });
     }},
    {"FtruncateShorter",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::ftruncate(fd, 4), 0); }); }},
    {"FtruncateLonger",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::ftruncate(fd, 99), 0); }); }},
    {"Truncate", [](const std::string& path) { EXPECT_EQ(::truncate(path.c_str(), 7), 0); }},
    {"OpenTruncating", [](const std::string& path) { With(path, O_WRONLY | O_TRUNC, [](int) {}); }},
    {"Creat", [](const std::string& path) { ::close(::creat(path.c_str(), 0600)); }},
    {"Fopen", [](const std::string& path) { std::fclose(std::fopen(path.c_str(), "w")); }},
    {"FallocateLonger",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::fallocate(fd, 0, 0, 70), 0); }); }},
    {"PosixFallocate",
     [](const std::string& path) { With(path, O_WRONLY, [](int fd) { EXPECT_EQ(::posix_fallocate(fd, 0, 70), 0); }); }},
    {"PunchHole",
     [](const std::string& path) {
       With(path, O_WRONLY,
            [](int fd) { EXPECT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5), 0); });
     }},
    {"OutputStream", [](const std::string& path) { std::ofstream(path) << "other words" << std::flush; }},
    {"ThroughADuplicate",
     [](const std::string& path) {
       With(path, O_WRONLY, [](int fd) {
         const int other = ::dup(fd);
         EXPECT_EQ(::write(other, "WHAT", 4), 4);
         ::close(other);
       });
     }},
    {"CopyOver",
     [](const std::string& path) {
       const auto source = std::filesystem::path(path).parent_path().parent_path() / "source";
       std::ofstream(source) << "from elsewhere";
       std::filesystem::copy_file(source, path, std::filesystem::copy_options::overwrite_existing);
     }},
};

class FileLawTest : public DiskTest, public ::testing::WithParamInterface<FileCall> {
 protected:
  FileLawTest() {
    MakeDurable("file", kBefore);
    GetParam().change(File("file"));
    after = Read("file");
  }
  std::string after;
};

TEST_P(FileLawTest, IsTakenBackIfNobodySyncedIt) {
  ASSERT_NE(after, kBefore);
  EXPECT_GT(LoseAll().writes_lost, 0u);
  EXPECT_EQ(Read("file"), kBefore);
}

TEST_P(FileLawTest, StaysOnceTheFileWasSynced) {
  SyncFile(File("file"));
  EXPECT_EQ(LoseAll().writes_lost, 0u);
  EXPECT_EQ(Read("file"), after);
}

TEST_P(FileLawTest, SyncingTheFolderDoesNotKeepIt) {
  SyncFolder(folder.File("disk"));
  LoseAll();
  EXPECT_EQ(Read("file"), kBefore);
}

TEST_P(FileLawTest, MayBeOnTheDiskAllTheSame) {
  EXPECT_GT(KeepAll().writes_kept, 0u);
  EXPECT_EQ(Read("file"), after);
}

TEST_P(FileLawTest, IsLostForEverAfterAFailedSync) {
  disk->FailSyncs(0, 1);
  const int fd = ::open(File("file").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::fsync(fd), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(::fsync(fd), 0);  // The lie that Linux tells: the pages are clean.
  ::close(fd);
  LoseAll();
  EXPECT_EQ(Read("file"), kBefore);
}

INSTANTIATE_TEST_SUITE_P(, FileLawTest, ::testing::ValuesIn(kFileCalls),
                         [](const auto& test) { return std::string(test.param.name); });

using FileTest = DiskTest;

TEST_F(FileTest, AWriteThroughASynchronousDescriptorIsDurable) {
  MakeDurable("file", kBefore);
  With(File("file"), O_WRONLY | O_DSYNC, [](int fd) { EXPECT_EQ(::write(fd, "WHAT", 4), 4); });
  LoseAll();
  EXPECT_EQ(Read("file"), "WHAT the disk had before");
}

TEST_F(FileTest, SyncingTheWholeDiskKeepsNamesAndBytes) {
  With(File("new"), O_WRONLY | O_CREAT, [](int fd) {
    EXPECT_EQ(::write(fd, "x", 1), 1);
    EXPECT_EQ(::syncfs(fd), 0);
  });
  LoseAll();
  EXPECT_EQ(Read("new"), "x");
}

TEST_F(FileTest, WhatWasWrittenAfterTheSyncIsLost) {
  MakeDurable("file", kBefore);
  With(File("file"), O_WRONLY | O_APPEND, [](int fd) {
    EXPECT_EQ(::write(fd, ", and more", 10), 10);
    EXPECT_EQ(::fdatasync(fd), 0);
    EXPECT_EQ(::write(fd, ", and too much", 14), 14);
  });
  LoseAll();
  EXPECT_EQ(Read("file"), "what the disk had before, and more");
}

TEST_F(FileTest, UnsyncedWritesOverlapAndAreTakenBackInOrder) {
  MakeDurable("file", "0000000000");
  With(File("file"), O_RDWR, [](int fd) {
    EXPECT_EQ(::pwrite(fd, "111111", 6, 0), 6);
    EXPECT_EQ(::pwrite(fd, "222222", 6, 3), 6);
    EXPECT_EQ(::ftruncate(fd, 5), 0);
    EXPECT_EQ(::pwrite(fd, "333", 3, 7), 3);
  });
  LoseAll();
  EXPECT_EQ(Read("file"), "0000000000");
}

// Each of two appended words may be there, torn, lost or zeros, in any mixture. That forty mixed cuts show fewer than
// six outcomes has a chance far below 1e-9, and the seeds are fixed.
TEST_F(FileTest, AnUnsyncedWriteMayBeTornAnywhere) {
  std::set<std::string> seen;
  for (uint64_t seed = 0, cuts = 0; cuts < 40; ++cuts) {
    seed = SeedOf(Mood::kMixed, seed + 1);
    MakeDurable("file", "start ");
    With(File("file"), O_WRONLY | O_APPEND, [](int fd) {
      EXPECT_EQ(::write(fd, "first ", 6), 6);
      EXPECT_EQ(::write(fd, "second", 6), 6);
    });
    disk->CutPower(seed);
    const std::string left = Read("file");
    ASSERT_TRUE(left.starts_with("start ")) << left;
    ASSERT_LE(left.size(), 18u);
    for (size_t i = 6; i < left.size(); ++i) ASSERT_TRUE(left[i] == '\0' || left[i] == "start first second"[i]) << left;
    seen.insert(left);
  }
  EXPECT_GE(seen.size(), 6u);
  EXPECT_TRUE(seen.contains("start first second"));
  EXPECT_TRUE(seen.contains("start "));
}

TEST_F(FileTest, TheSameSeedCutsTheSameWay) {
  std::set<std::string> seen;
  for (int run = 0; run < 5; ++run) {
    MakeDurable("file", "start ");
    With(File("file"), O_WRONLY | O_APPEND, [](int fd) {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(::write(fd, "word ", 5), 5);
    });
    disk->CutPower(SeedOf(Mood::kMixed));
    seen.insert(Read("file"));
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(FileTest, FilesOutsideOfTheDiskAreNoneOfItsBusiness) {
  With(folder.File("elsewhere"), O_WRONLY | O_CREAT, [](int fd) { EXPECT_EQ(::write(fd, "x", 1), 1); });
  const CutReport report = LoseAll();
  EXPECT_EQ(report.writes_lost + report.names_lost, 0u);
  EXPECT_EQ(folder.Read("elsewhere"), "x");
}

}  // namespace
}  // namespace aisle::faulty_disk
