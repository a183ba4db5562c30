// The commands that run a plan, with a real aisle-worker: check, train-alone, evaluate, and the dry run before
// submitting.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_admin.h"
#include "tests/cli/plan_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::json;

class WorkerCommandsTest : public ::testing::Test {
 protected:
  WorkerCommandsTest() {
    WriteTinyPlan(folder_ / "tiny");
    std::filesystem::create_directories(folder_ / "chain/stores/leeds-01");
    std::filesystem::create_directories(folder_ / "chain/stores/leeds-02");
    Write(folder_ / "chain/tables.toml",
          "[sales]\ntime = \"week\"\n[sales.columns]\nweek = {type = \"int64\", range = [0, 1000]}\n"
          "units = {type = \"double\", range = [0, 1000]}\n");
    std::string rows = "week,units\n";
    for (int week = 0; week < 100; ++week) rows += std::to_string(week) + "," + std::to_string(20 + week / 2) + "\n";
    Write(folder_ / "chain/stores/leeds-01/sales.csv", rows);
    Write(folder_ / "chain/stores/leeds-02/sales.csv", rows + "nonsense,1\n");
  }
  Ran Run(std::vector<std::string> arguments) { return RunAisle(arguments, {{"AISLE_WORKER", AISLE_WORKER_PROGRAM}}); }
  // A plan whose program asks for a file.
  std::string BadPlan() {
    WriteTinyPlan(folder_ / "bad");
    std::string source = ReadAll(folder_ / "bad/tiny.py");
    const std::string good = "week = sales[\"week\"]";
    source.replace(source.find(good), good.size(), good + " + torch.from_file(\"/etc/passwd\", size=1).long()");
    Write(folder_ / "bad/tiny.py", source);
    return folder_ / "bad";
  }

  TemporaryFolder folder_;
};

TEST_F(WorkerCommandsTest, AGoodPlanPassesItsDryRun) {
  const Ran ran = Run({"plan", "check", folder_ / "tiny", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const Json json = Json::parse(ran.out, nullptr, false);
  EXPECT_EQ(json["trainable"], "2");
  EXPECT_FALSE(json["operators"].empty());
}

TEST_F(WorkerCommandsTest, ABadPlanIsRefusedWithTheReason) {
  const Ran ran = Run({"plan", "check", BadPlan()});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("from_file"), std::string::npos) << ran.error;
}

TEST_F(WorkerCommandsTest, ABadPlanIsNeverSubmitted) {
  FakeAdmin admin(folder_ / "keys");
  const Ran bad = Run(
      {"job", "submit", BadPlan(), "--job", "bad", "--coordinator", admin.address(), "--identity", admin.identity()});
  EXPECT_EQ(bad.code, 4);
  EXPECT_NE(bad.error.find("was not submitted"), std::string::npos) << bad.error;
  EXPECT_TRUE(admin.submitted.job().empty());
  EXPECT_TRUE(admin.blobs.empty());
  const Ran good = Run({"job", "submit", folder_ / "tiny", "--job", "good", "--coordinator", admin.address(),
                        "--identity", admin.identity()});
  EXPECT_EQ(good.code, 0) << good.error;
  EXPECT_EQ(admin.submitted.job(), "good");
}

TEST_F(WorkerCommandsTest, TrainsAloneAndEvaluatesPerStoreAndPooled) {
  const std::string weights = folder_ / "alone.weights";
  const Ran trained = Run({"plan", "train-alone", folder_ / "tiny", "--data", folder_ / "chain/stores/leeds-01",
                           "--passes", "20", "--out", weights, "--json"});
  ASSERT_EQ(trained.code, 0) << trained.error;
  const Json training = Json::parse(trained.out, nullptr, false);
  EXPECT_LT(training["loss_after"].get<double>(), training["loss_before"].get<double>());

  const Ran evaluated =
      Run({"plan", "evaluate", folder_ / "tiny", "--weights", weights, "--data", folder_ / "chain", "--json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.error;
  const Json scores = Json::parse(evaluated.out, nullptr, false);
  ASSERT_EQ(scores["stores"].size(), 2U);
  EXPECT_EQ(scores["stores"][0]["store"], "leeds-01");
  EXPECT_EQ(scores["sums"]["count"], 8) << "the last four weeks of each store";
  EXPECT_DOUBLE_EQ(scores["sums"]["squared_error"].get<double>(),
                   scores["stores"][0]["sums"]["squared_error"].get<double>() +
                       scores["stores"][1]["sums"]["squared_error"].get<double>());
  const Ran all =
      Run({"plan", "evaluate", folder_ / "tiny", "--weights", weights, "--data", folder_ / "chain", "--split", "all"});
  EXPECT_NE(all.out.find("squared_error"), std::string::npos) << all.out;
}

TEST_F(WorkerCommandsTest, TheSameSeedTrainsTheSameWeights) {
  std::string rows = "week,units\n";  // Many of one week: their order must not hang on chance either.
  for (int row = 0; row < 400; ++row) rows += std::to_string(row / 8) + "," + std::to_string(row) + "\n";
  Write(folder_ / "chain/stores/leeds-01/sales.csv", rows);
  for (const char* out : {"a", "b"}) {
    ASSERT_EQ(Run({"plan", "train-alone", folder_ / "tiny", "--data", folder_ / "chain/stores/leeds-01", "--seed", "7",
                   "--out", folder_ / out})
                  .code,
              0);
  }
  EXPECT_EQ(ReadAll(folder_ / "a"), ReadAll(folder_ / "b"));
}

TEST_F(WorkerCommandsTest, SaysWhatIsMissingOrDoesNotFit) {
  const std::string data = folder_ / "chain/stores/leeds-01";
  EXPECT_EQ(Run({"plan", "evaluate", folder_ / "tiny", "--data", data}).code, 4) << "neither weights nor model";
  EXPECT_EQ(Run({"plan", "evaluate", folder_ / "tiny", "--weights", folder_ / "none", "--data", data}).code, 3);
  Write(folder_ / "w", "not weights");
  EXPECT_EQ(Run({"plan", "evaluate", folder_ / "tiny", "--weights", folder_ / "w", "--data", data}).code, 4);
  EXPECT_EQ(Run({"plan", "train-alone", folder_ / "tiny", "--data", folder_.path(), "--out", folder_ / "o"}).code, 3);
  const Ran no_rows = Run({"plan", "train-alone", folder_ / "tiny", "--data", folder_.path(), "--tables",
                           folder_ / "chain/tables.toml", "--out", folder_ / "o"});
  EXPECT_EQ(no_rows.code, 3);
  EXPECT_NE(no_rows.error.find("sales.csv"), std::string::npos) << no_rows.error;
}

}  // namespace
}  // namespace aisle::cli
