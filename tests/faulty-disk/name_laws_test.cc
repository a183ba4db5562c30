// What a power cut leaves of the names in folders: one law per call that changes them, and all of them in a row.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ostream>
#include <utility>
#include <vector>

#include "tests/faulty-disk/disk_under_test.h"

namespace aisle::faulty_disk {
namespace {

// Changes names on a disk with the files "one" and "two" and the folder "shelf", which holds "three".
struct NameCall {
  const char* name;
  void (*change)(const std::string& disk);
};
std::ostream& operator<<(std::ostream& out, const NameCall& call) { return out << call.name; }

void Create(const std::string& path) { ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }

const NameCall kNameCalls[] = {
    {"Open", [](const std::string& disk) { Create(disk + "/new"); }},
    {"OpenAt",
     [](const std::string& disk) {
       const int at = ::open(disk.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
       ::close(::openat(at, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
       ::close(at);
     }},
    {"Creat", [](const std::string& disk) { ::close(::creat((disk + "/new").c_str(), 0600)); }},
    {"Fopen", [](const std::string& disk) { std::fclose(std::fopen((disk + "/new").c_str(), "w")); }},
    {"OutputStream", [](const std::string& disk) { std::ofstream stream(disk + "/new"); }},
    {"Link", [](const std::string& disk) { EXPECT_EQ(::link((disk + "/one").c_str(), (disk + "/new").c_str()), 0); }},
    {"Symlink", [](const std::string& disk) { EXPECT_EQ(::symlink("one", (disk + "/new").c_str()), 0); }},
    {"Mkdir", [](const std::string& disk) { EXPECT_EQ(::mkdir((disk + "/new").c_str(), 0700), 0); }},
    {"Unlink", [](const std::string& disk) { EXPECT_EQ(::unlink((disk + "/one").c_str()), 0); }},
    {"Remove", [](const std::string& disk) { EXPECT_EQ(std::remove((disk + "/one").c_str()), 0); }},
    {"RemoveAll", [](const std::string& disk) { EXPECT_EQ(std::filesystem::remove_all(disk + "/shelf"), 2u); }},
    {"RenameAside",
     [](const std::string& disk) { EXPECT_EQ(::rename((disk + "/one").c_str(), (disk + "/new").c_str()), 0); }},
    {"RenameOver",
     [](const std::string& disk) { EXPECT_EQ(::rename((disk + "/one").c_str(), (disk + "/two").c_str()), 0); }},
    {"RenameIntoAFolder",
     [](const std::string& disk) { EXPECT_EQ(::rename((disk + "/one").c_str(), (disk + "/shelf/one").c_str()), 0); }},
    {"RenameAFolder",
     [](const std::string& disk) {
       EXPECT_EQ(::rename((disk + "/shelf").c_str(), (disk + "/board").c_str()), 0);
       Create(disk + "/board/four");
     }},
    {"SwapByThreeRenames",
     [](const std::string& disk) {
       EXPECT_EQ(::rename((disk + "/one").c_str(), (disk + "/aside").c_str()), 0);
       EXPECT_EQ(::rename((disk + "/two").c_str(), (disk + "/one").c_str()), 0);
       EXPECT_EQ(::rename((disk + "/aside").c_str(), (disk + "/two").c_str()), 0);
     }},
    {"RemoveAndCreateAgain",
     [](const std::string& disk) {
       EXPECT_EQ(::unlink((disk + "/one").c_str()), 0);
       Create(disk + "/one");
     }},
};

class NameLawTest : public DiskTest, public ::testing::WithParamInterface<NameCall> {
 protected:
  NameLawTest() {
    MakeDurable("one", "1");
    MakeDurable("two", "2");
    EXPECT_EQ(::mkdir(File("shelf").c_str(), 0700), 0);
    SyncFolder(folder.File("disk"));
    MakeDurable("shelf/three", "3");
    before = Tree();
    GetParam().change(folder.File("disk"));
    after = Tree();
  }
  std::map<std::string, std::string> before;
  std::map<std::string, std::string> after;
};

TEST_P(NameLawTest, IsTakenBackIfNoFolderWasSynced) {
  ASSERT_NE(after, before);
  EXPECT_GT(LoseAll().names_lost, 0u);
  EXPECT_EQ(Tree(), before);
}

TEST_P(NameLawTest, StaysOnceTheFoldersWereSynced) {
  SyncFolder(folder.File("disk"));
  for (const char* shelf : {"shelf", "board"}) {
    if (std::filesystem::exists(File(shelf))) SyncFolder(File(shelf));
  }
  EXPECT_EQ(LoseAll().names_lost, 0u);
  EXPECT_EQ(Tree(), after);
}

TEST_P(NameLawTest, MayBeOnTheDiskAllTheSame) {
  EXPECT_GT(KeepAll().names_kept, 0u);
  EXPECT_EQ(Tree(), after);
}

TEST_P(NameLawTest, IsNotKeptByASyncThatFailed) {
  disk->FailSyncs(0, 1);
  const int fd = ::open(folder.File("disk").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_EQ(::fsync(fd), -1);
  ::close(fd);
  LoseAll();
  EXPECT_EQ(Tree(), before);
}

INSTANTIATE_TEST_SUITE_P(, NameLawTest, ::testing::ValuesIn(kNameCalls),
                         [](const auto& test) { return std::string(test.param.name); });

using NameTest = DiskTest;

TEST_F(NameTest, SyncingANewFileDoesNotKeepItsName) {
  Create(File("new"));
  SyncFile(File("new"));
  LoseAll();
  EXPECT_TRUE(Tree().empty());
}

TEST_F(NameTest, AKeptNameOfAnUnsyncedFileIsAnEmptyFile) {
  std::ofstream(File("new")) << "never synced";
  SyncFolder(folder.File("disk"));
  LoseAll();
  EXPECT_EQ(Tree(), (std::map<std::string, std::string>{{"new", "file: "}}));
}

TEST_F(NameTest, ANewFolderThatWasNotSyncedGoesWithAllItHolds) {
  ASSERT_EQ(::mkdir(File("new").c_str(), 0700), 0);
  MakeDurable("new/file", "safe?");
  LoseAll();
  EXPECT_TRUE(Tree().empty());
}

TEST_F(NameTest, ARemovedFileComesBackWithItsSyncedBytesOnly) {
  MakeDurable("file", "synced");
  std::ofstream(File("file"), std::ios::app) << " and not";
  ASSERT_EQ(::unlink(File("file").c_str()), 0);
  LoseAll();
  EXPECT_EQ(Read("file"), "synced");
}

TEST_F(NameTest, ARemovalThatWasSyncedStaysAndItsInodeMayServeAgain) {
  for (int i = 0; i < 50; ++i) {
    std::ofstream(File("file")) << "never synced";
    ASSERT_EQ(::unlink(File("file").c_str()), 0);
    SyncFolder(folder.File("disk"));
  }
  MakeDurable("other", "synced");
  LoseAll();
  EXPECT_EQ(Tree(), (std::map<std::string, std::string>{{"other", "file: synced"}}));
}

TEST_F(NameTest, ARenameBetweenFoldersIsNeverHalfDone) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    StartAnew();
    std::filesystem::create_directories(File("a"));
    std::filesystem::create_directories(File("b"));
    SyncFolder(folder.File("disk"));
    MakeDurable("a/file", "1");
    Create(File("b/earlier"));
    ASSERT_EQ(::rename(File("a/file").c_str(), File("b/file").c_str()), 0);
    Create(File("a/later"));
    disk->CutPower(seed);
    auto tree = Tree();
    EXPECT_EQ(tree.count("a/file") + tree.count("b/file"), 1u) << seed;
    EXPECT_LE(tree.count("a/later"), tree.count("b/file")) << seed;
    EXPECT_LE(tree.count("b/file"), tree.count("b/earlier")) << seed;
  }
}

TEST_F(NameTest, InOneFolderTheLastChangesAreLostFirst) {
  size_t partly = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    StartAnew();
    for (const char* name : {"a", "b", "c", "d"}) Create(File(name));
    disk->CutPower(seed);
    const auto tree = Tree();
    const std::vector<std::string> order = {"a", "b", "c", "d"};
    for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(tree.contains(order[i]), i < tree.size()) << seed;
    if (!tree.empty() && tree.size() < order.size()) ++partly;
  }
  EXPECT_GT(partly, 5u);
}

// A model of one folder: what is durable is what each name and file was when last synced.
class FolderModel {
 public:
  explicit FolderModel(uint64_t seed) : luck_(seed) {}

  void Step(const std::string& disk) {
    const std::string name(1, static_cast<char>('a' + luck_.Below(4)));
    const std::string path = disk + "/" + name;
    switch (luck_.Below(6)) {
      case 0:
        return Append(name, path);
      case 1:
        return Rename(name, disk);
      case 2:
        return Remove(name, path);
      case 3:
        if (names_.contains(name)) Sync(name, path);
        return;
      case 4:
        if (luck_.Below(3) == 0) SyncNames(disk);
        return;
      default:
        return Shorten(name, path);
    }
  }

  std::map<std::string, std::string> Durable() const {
    std::map<std::string, std::string> tree;
    for (const auto& [name, file] : synced_names_) {
      const auto found = synced_content_.find(file);
      tree[name] = "file: " + (found == synced_content_.end() ? "" : found->second);
    }
    return tree;
  }

 private:
  void Append(const std::string& name, const std::string& path) {
    if (!names_.contains(name)) names_[name] = ++files_;
    const std::string text = std::to_string(luck_.Below(1000)) + ";";
    std::ofstream(path, std::ios::app) << text;
    content_[names_[name]] += text;
  }
  void Rename(const std::string& name, const std::string& disk) {
    const std::string to(1, static_cast<char>('a' + luck_.Below(4)));
    if (!names_.contains(name) || to == name) return;
    ASSERT_EQ(::rename((disk + "/" + name).c_str(), (disk + "/" + to).c_str()), 0);
    names_[to] = names_[name];
    names_.erase(name);
  }
  void Remove(const std::string& name, const std::string& path) {
    ASSERT_EQ(::unlink(path.c_str()) == 0, names_.erase(name) > 0);
  }
  void Sync(const std::string& name, const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::fsync(fd), 0);
    ::close(fd);
    synced_content_[names_[name]] = content_[names_[name]];
  }
  void SyncNames(const std::string& disk) {
    const int fd = ::open(disk.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::fsync(fd), 0);
    ::close(fd);
    synced_names_ = names_;
  }
  void Shorten(const std::string& name, const std::string& path) {
    if (!names_.contains(name)) return;
    std::string& content = content_[names_[name]];
    content.resize(luck_.Below(content.size() + 1));
    ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(content.size())), 0);
  }

  SeededLuck luck_;
  uint64_t files_ = 0;
  std::map<std::string, uint64_t> names_;
  std::map<std::string, uint64_t> synced_names_;
  std::map<uint64_t, std::string> content_;
  std::map<uint64_t, std::string> synced_content_;
};

TEST_F(NameTest, AnyHistoryFallsBackToWhatWasSynced) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    StartAnew();
    FolderModel model(seed);
    for (int i = 0; i < 40; ++i) model.Step(folder.File("disk"));
    LoseAll();
    ASSERT_EQ(Tree(), model.Durable()) << "history " << seed;
  }
}

}  // namespace
}  // namespace aisle::faulty_disk
