// `aisle ingest` against the agent's own drop folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "store-agent/ingest/drop_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::json;

class IngestTest : public ::testing::Test {
 protected:
  IngestTest() {
    Write(folder_ / "good.csv", "week,units\n1,2.5\n2,3.5\n2000,1\n");
    Write(folder_ / "bad.csv", "week,colour\n1,red\n");
  }
  void StartAgent() {
    const Schema schema = *Schema::Parse(
        "[sales]\ntime = \"week\"\n[sales.columns]\nweek = {type = \"int64\", range = [0, 100]}\n"
        "units = {type = \"double\", range = [0, 1000]}\n");
    store_ = *TableStore::Open(folder_ / "state", schema, random_);
    drop_ = *DropFolder::Start({.folder = folder_ / "drop"}, *store_, {});
  }
  Ran Ingest(const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"ingest", file, "--table", "sales", "--inbox", folder_ / "drop"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAisle(arguments);
  }

  TemporaryFolder folder_;
  SecureRandom random_;
  std::unique_ptr<TableStore> store_;
  std::unique_ptr<DropFolder> drop_;
};

TEST_F(IngestTest, TellsWhatWentInAndWhatStayedOut) {
  StartAgent();
  const Ran first = Ingest(folder_ / "good.csv", {"--json"});
  ASSERT_EQ(first.code, 0) << first.error;
  const Json report = Json::parse(first.out, nullptr, false);
  EXPECT_EQ(report["rows_added"], 2);
  EXPECT_EQ(report["rows_quarantined"], 1);
  const Ran again = Ingest(folder_ / "good.csv");
  EXPECT_EQ(again.code, 0) << again.error;
  EXPECT_NE(again.out.find("known already  2"), std::string::npos) << again.out;
  EXPECT_NE(again.out.find("range"), std::string::npos) << "the row out of range is shown with its reason:\n"
                                                        << again.out;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "good.csv")) << "the file itself stays where it is";
}

TEST_F(IngestTest, AFileThatIsRefusedIsExitCodeFourWithTheReason) {
  StartAgent();
  const Ran ran = Ingest(folder_ / "bad.csv");
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("units"), std::string::npos) << ran.error;
}

TEST_F(IngestTest, WithoutAnAgentTheFileWaitsWhole) {
  for (const char* kind : {"inbox", "done", "refused"}) {
    std::filesystem::create_directories(folder_ / "drop/" + kind + "/sales");
  }
  const Ran ran = Ingest(folder_ / "good.csv", {"--wait", "100ms"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.error.find("aisle-agent"), std::string::npos) << ran.error;
  std::vector<std::string> waiting;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "drop/inbox/sales")) {
    waiting.push_back(entry.path());
  }
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(ReadAll(waiting[0]), ReadAll(folder_ / "good.csv"));
  StartAgent();
  EXPECT_EQ(Ingest(folder_ / "good.csv").code, 0) << "once the agent runs, it takes both";
}

TEST_F(IngestTest, RefusesWhatItCannotHandOver) {
  EXPECT_EQ(Ingest(folder_ / "good.csv").code, 3) << "no agent has ever run here";
  StartAgent();
  EXPECT_EQ(Ingest(folder_ / "missing.csv").code, 3);
  Write(folder_ / "sales.xlsx", "PK");
  EXPECT_EQ(Ingest(folder_ / "sales.xlsx").code, 4);
  EXPECT_EQ(RunAisle({"ingest", folder_ / "good.csv", "--table", "stock", "--inbox", folder_ / "drop"}).code, 3);
  EXPECT_EQ(RunAisle({"ingest", folder_ / "good.csv", "--table", "../x", "--inbox", folder_ / "drop"}).code, 4);
}

}  // namespace
}  // namespace aisle::cli
