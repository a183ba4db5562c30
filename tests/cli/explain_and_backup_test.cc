// `aisle explain`, `aisle backup` and `aisle restore`, as a user would run them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/fake_admin.h"
#include "tests/cli/plan_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

class ExplainAndBackupTest : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments) {
    const std::vector<std::string> connection = admin_.Connection();
    arguments.insert(arguments.end(), connection.begin(), connection.end());
    return RunAisle(arguments);
  }
  v1::BackUpResponse& Message() { return admin_.backup.emplace_back(); }
  void Begin() {
    v1::BackupBegun& begun = *Message().mutable_begun();
    begun.set_chain("northwind");
    begun.set_version("0.1.0");
    begun.set_made_unix_us(1'800'000'000'000'000);
  }
  void AddFile(const std::string& path, const std::string& content) {
    Message().mutable_file()->set_path(path);
    admin_.backup.back().mutable_file()->set_size_bytes(content.size());
    for (size_t at = 0; at < content.size(); at += 1000) Message().set_data(content.substr(at, 1000));
  }
  std::string AddBlob(const std::string& content) {
    const std::string hex = Sha256::Of(content).Hex();
    AddFile("blobs/" + hex.substr(0, 2) + "/" + hex, content);
    return "blobs/" + hex.substr(0, 2) + "/" + hex;
  }
  void End() { Message().mutable_ended(); }

  TemporaryFolder folder_;
  FakeAdmin admin_{folder_ / "chain"};
};

TEST_F(ExplainAndBackupTest, ExplainsInParagraphs) {
  admin_.explanation.set_headline("Round demand/7 was aborted.");
  v1::Finding& finding = *admin_.explanation.add_findings();
  finding.set_cause("memory_cap");
  finding.set_sentence("leeds-01 failed at the task.\x1b[2J");
  finding.set_fix("Give it more.");
  const Ran ran = Run({"explain", "round", "demand/7"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(admin_.explained.round().number(), 7U);
  EXPECT_NE(ran.out.find("was aborted.\n\nmemory_cap: leeds-01 failed"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n    Give it more.\n"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
}

TEST_F(ExplainAndBackupTest, SaysSoIfNothingIsWrong) {
  admin_.explanation.set_headline("leeds-01 is enrolled.");
  const Ran ran = Run({"explain", "store", "leeds-01"});
  EXPECT_EQ(ran.out, "leeds-01 is enrolled.\nNothing is wrong.\n");
  EXPECT_EQ(admin_.explained.store(), "leeds-01");
  EXPECT_EQ(Run({"explain", "job", "../demand"}).code, 4);
  EXPECT_EQ(Run({"explain"}).code, 2);
}

TEST_F(ExplainAndBackupTest, ABackupIsWholeCheckedByCommonToolsAndRestored) {
  Begin();
  AddFile("state/CURRENT", "MANIFEST-000001\n");
  AddFile("state/empty.log", "");
  const std::string blob = AddBlob(std::string(2500, 'w'));
  End();
  const std::string backup = folder_ / "monday";
  const Ran made = Run({"backup", backup});
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_EQ(std::system(("cd " + backup + " && sha256sum --quiet -c backup.sha256").c_str()), 0);
  const std::string data = folder_ / "data";
  const Ran restored = RunAisle({"restore", backup, "--data", data});
  ASSERT_EQ(restored.code, 0) << restored.error;
  EXPECT_NE(restored.out.find("revoke again"), std::string::npos);
  EXPECT_EQ(ReadAll(data + "/" + blob), std::string(2500, 'w'));
  EXPECT_TRUE(std::filesystem::exists(data + "/state/empty.log"));
  EXPECT_TRUE(std::filesystem::exists(data + "/backup.toml")) << "the coordinator's first start looks for it";
  EXPECT_EQ(RunAisle({"restore", backup, "--data", data}).code, 4) << "never over anything";
}

TEST_F(ExplainAndBackupTest, ABackupThatBrokeOffIsNoneAndIsGoneOnWith) {
  Begin();
  AddFile("state/CURRENT", "MANIFEST-000001\n");
  const std::string blob = AddBlob("weights");
  const std::string backup = folder_ / "monday";
  EXPECT_EQ(Run({"backup", backup}).code, 4) << "the stream ended early";
  EXPECT_EQ(RunAisle({"restore", backup, "--data", folder_ / "data"}).code, 3);
  admin_.backup.clear();
  Begin();
  AddFile("state/CURRENT", "MANIFEST-000002\n");
  End();
  const Ran again = Run({"backup", backup});
  EXPECT_EQ(again.code, 0) << again.error;
  ASSERT_EQ(admin_.backed_up.have_blobs_size(), 1) << "it needn't come twice";
  EXPECT_NE(ReadAll(backup + "/backup.sha256").find(blob), std::string::npos);
}

TEST_F(ExplainAndBackupTest, ABlobThatIsNotWhatItsNameSaysIsRefused) {
  Begin();
  const std::string hex = Sha256::Of("weights").Hex();
  AddFile("blobs/" + hex.substr(0, 2) + "/" + hex, "weightz");
  End();
  const Ran ran = Run({"backup", folder_ / "monday"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("damaged at headquarters"), std::string::npos) << ran.error;
}

TEST_F(ExplainAndBackupTest, NothingIsWrittenOutsideOfTheFolder) {
  for (const char* path : {"../outside", "state/../../outside", "/tmp/outside", "keys/ca.key", "state/", "state/a.part",
                           "state/a//b", "state/./a", "blobs/ab/ab", "state/a\nb"}) {
    admin_.backup.clear();
    Begin();
    AddFile(path, "x");
    End();
    EXPECT_EQ(Run({"backup", folder_ / "monday"}).code, 4) << path;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "outside"));
}

TEST_F(ExplainAndBackupTest, NothingThatIsThereIsOverwritten) {
  std::filesystem::create_directories(folder_ / "full");
  std::ofstream(folder_ / "full/letter") << "dear";
  EXPECT_EQ(Run({"backup", folder_ / "full"}).code, 4);
  EXPECT_EQ(ReadAll(folder_ / "full/letter"), "dear");
}

}  // namespace
}  // namespace aisle::cli
