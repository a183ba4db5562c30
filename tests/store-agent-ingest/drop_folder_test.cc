#include "store-agent/ingest/drop_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/store-agent-ingest/sources.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kDroppedTables = R"(
[sales.columns]
week = {type = "int64"}
[visits.columns]
page = {type = "string"}
)";

const TableName kDroppedSales = *TableName::Parse("sales");

// What a drop folder says, kept until the test asks for it.
class Told {
 public:
  DropFolderListener Listener() {
    return {.on_file =
                [this](const IngestReport& report) {
                  const std::lock_guard lock(mutex_);
                  files_.push_back(
                      fmt::format("{}/{} {}", report.table, report.file, report.refused() ? "refused" : "done"));
                  changed_.notify_all();
                },
            .on_error =
                [this](const std::string& path, const Status& status) {
                  const std::lock_guard lock(mutex_);
                  errors_.push_back(fmt::format("{}: {}", path, CodeName(status.code())));
                  changed_.notify_all();
                }};
  }
  std::vector<std::string> WaitForFiles(size_t count) { return WaitFor(files_, count); }
  std::vector<std::string> WaitForErrors(size_t count) { return WaitFor(errors_, count); }

 private:
  std::vector<std::string> WaitFor(std::vector<std::string>& list, size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return list.size() >= count; }));
    return list;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> files_;
  std::vector<std::string> errors_;
};

class DropFolderTest : public ::testing::Test {
 protected:
  void Start(absl::Duration retry_after = absl::Minutes(1)) {
    StatusOr<std::unique_ptr<DropFolder>> folder =
        DropFolder::Start({.folder = folder_.path(), .retry_after = retry_after}, *store_, told_.Listener());
    ASSERT_TRUE(folder.ok()) << folder.status();
    drop_ = *std::move(folder);
  }

  // As a producer should: written elsewhere, renamed into place.
  void Deliver(std::string_view table, std::string_view name, std::string_view text) {
    const std::string aside = folder_.Write("aside", text);
    std::filesystem::rename(aside, folder_.File(fmt::format("inbox/{}/{}", table, name)));
  }

  std::vector<std::string> FilesIn(std::string_view folder) const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder_.File(folder))) {
      names.push_back(file.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  TemporaryFolder folder_;
  StoreFixture store_{kDroppedTables};
  Told told_;
  std::unique_ptr<DropFolder> drop_;
};

TEST_F(DropFolderTest, TakesWhatIsThereAtTheStartInOrderOfNames) {
  for (const char* name : {"b.csv", "a.csv", "c.csv"}) folder_.Write(fmt::format("inbox/sales/{}", name), "week\n1\n");
  Start();
  EXPECT_THAT(told_.WaitForFiles(3), ElementsAre("sales/a.csv done", "sales/b.csv done", "sales/c.csv done"));
  EXPECT_THAT(FilesIn("inbox/sales"), IsEmpty());
  EXPECT_THAT(FilesIn("done/sales"),
              ElementsAre("a.csv", "a.csv.report.json", "b.csv", "b.csv.report.json", "c.csv", "c.csv.report.json"));
}

TEST_F(DropFolderTest, TakesWhatIsRenamedIntoPlace) {
  Start();
  Deliver("sales", "a.csv", "week\n1\nx\n");
  told_.WaitForFiles(1);
  Deliver("visits", "b.csv.gz", Gzip("page\nhome\n"));
  EXPECT_THAT(told_.WaitForFiles(2), ElementsAre("sales/a.csv done", "visits/b.csv.gz done"));
  EXPECT_EQ(*store_->RowCount(kDroppedSales), 1u);
  EXPECT_THAT(folder_.Read("done/sales/a.csv.report.json"), HasSubstr("\"line\": 3"));
}

TEST_F(DropFolderTest, PutsRefusedFilesAsideWithTheReason) {
  Start();
  Deliver("sales", "bad.csv", "month\n1\n");
  EXPECT_THAT(told_.WaitForFiles(1), ElementsAre("sales/bad.csv refused"));
  EXPECT_THAT(FilesIn("refused/sales"), ElementsAre("bad.csv", "bad.csv.report.json"));
  EXPECT_THAT(folder_.Read("refused/sales/bad.csv.report.json"), HasSubstr("misses: week"));
}

TEST_F(DropFolderTest, KeepsFilesOfOneNameApart) {
  Start();
  for (size_t i = 1; i <= 3; ++i) {
    Deliver("sales", "a.csv", fmt::format("week\n{}\n", i));
    told_.WaitForFiles(i);
  }
  EXPECT_THAT(FilesIn("done/sales"), ElementsAre("a.csv", "a.csv.2", "a.csv.2.report.json", "a.csv.3",
                                                 "a.csv.3.report.json", "a.csv.report.json"));
  EXPECT_EQ(*store_->RowCount(kDroppedSales), 3u);
}

TEST_F(DropFolderTest, LeavesOtherFilesAlone) {
  folder_.Write("inbox/sales/.hidden.csv", "week\n1\n");
  folder_.Write("inbox/sales/half.csv.part", "week\n1\n");
  std::filesystem::create_directories(folder_.File("inbox/sales/folder.csv"));
  Start();
  Deliver("sales", "z.csv", "week\n1\n");
  EXPECT_THAT(told_.WaitForFiles(1), ElementsAre("sales/z.csv done"));
  EXPECT_THAT(FilesIn("inbox/sales"), ElementsAre(".hidden.csv", "folder.csv", "half.csv.part"));
}

TEST_F(DropFolderTest, RefusesASymbolicLink) {
  Start();
  const std::string link = folder_.File("link");
  std::filesystem::create_symlink("/etc/passwd", link);
  std::filesystem::rename(link, folder_.File("inbox/sales/link.csv"));
  EXPECT_THAT(told_.WaitForFiles(1), ElementsAre("sales/link.csv refused"));
}

TEST_F(DropFolderTest, TriesAgainAfterAnErrorOfTheMachine) {
  Start(absl::Milliseconds(10));
  std::filesystem::remove(folder_.File("done/sales"));
  folder_.Write("done/sales", "a file where the folder should be");
  Deliver("sales", "a.csv", "week\n1\n");
  told_.WaitForErrors(2);
  std::filesystem::remove(folder_.File("done/sales"));
  std::filesystem::create_directory(folder_.File("done/sales"));
  EXPECT_THAT(told_.WaitForFiles(1), ElementsAre("sales/a.csv done"));
  EXPECT_EQ(*store_->RowCount(kDroppedSales), 1u);
}

TEST_F(DropFolderTest, StopsAndStartsAgain) {
  Start();
  drop_->Stop();
  Deliver("sales", "a.csv", "week\n1\n");
  EXPECT_THAT(FilesIn("inbox/sales"), ElementsAre("a.csv"));
  Start();
  EXPECT_THAT(told_.WaitForFiles(1), ElementsAre("sales/a.csv done"));
}

TEST_F(DropFolderTest, SaysWhichFolderCannotBeMade) {
  folder_.Write("inbox", "a file");
  const Status status = DropFolder::Start({.folder = folder_.path()}, *store_, told_.Listener()).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr(folder_.File("inbox")));
}

}  // namespace
}  // namespace aisle
