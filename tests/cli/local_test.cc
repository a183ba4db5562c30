// `aisle` without any coordinator: init, plan, privacy, ledger.
#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/identity/chain_folder.h"
#include "privacy/ledger.h"
#include "tests/cli/plan_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::json;

TEST(InitTest, MakesAChainOnceAndNeverOverwrites) {
  const TemporaryFolder folder;
  const std::string chain = folder / "chain";
  const Ran made = RunAisle({"init", chain, "--chain", "northwind", "--server-name", "hq.example"});
  ASSERT_EQ(made.code, 0) << made.error;
  for (const char* name : {"ca.pem", "coordinator.pem", "admin.pem", "plan-signing.pub", "coordinator.toml"}) {
    EXPECT_FALSE(ReadAll(chain + "/" + name).empty()) << name;
  }
  for (const char* name : {"ca.key", "coordinator.key", "admin.key", "plan-signing.key"}) {
    struct stat info {};
    ASSERT_EQ(::stat((chain + "/" + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
  const std::string before = ReadAll(chain + "/ca.key");
  EXPECT_EQ(RunAisle({"init", chain, "--chain", "northwind"}).code, 4);
  EXPECT_EQ(ReadAll(chain + "/ca.key"), before);
}

TEST(InitTest, RefusesANameThatFitsNoCertificate) {
  const TemporaryFolder folder;
  const Ran ran = RunAisle({"init", folder / "chain", "--chain", "North Wind"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("chain name"), std::string::npos) << ran.error;
}

class PlanCommandTest : public ::testing::Test {
 protected:
  PlanCommandTest() {
    WriteTinyPlan(folder_ / "tiny");
    EXPECT_EQ(RunAisle({"init", folder_ / "chain", "--chain", "northwind"}).code, 0);
  }
  TemporaryFolder folder_;
  std::string plan_ = folder_ / "tiny.plan";
  std::string key_ = folder_ / "chain/plan-signing.key";
};

TEST_F(PlanCommandTest, BuildsASignedFileAndShowsIt) {
  const Ran built = RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_, "--key", key_});
  ASSERT_EQ(built.code, 0) << built.error;
  const Ran shown = RunAisle({"plan", "show", plan_});
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_NE(shown.out.find("by key"), std::string::npos) << shown.out;
  const Json json = Json::parse(RunAisle({"plan", "show", plan_, "--json"}).out, nullptr, false);
  EXPECT_EQ(json["name"], "tiny");
  EXPECT_EQ(json["trainable"], 2);
  EXPECT_EQ(json["signature"]["verifies"], true);
  EXPECT_EQ(json["privacy"]["unit"], "store");
  EXPECT_TRUE(json["tables"]["sales"]["columns"].contains("week"));
}

TEST_F(PlanCommandTest, TheSameFolderGivesTheSamePlan) {
  for (const char* name : {"/a.plan", "/b.plan"}) {
    ASSERT_EQ(RunAisle({"plan", "build", folder_ / "tiny", "--out", folder_.path() + name, "--key", key_}).code, 0);
  }
  EXPECT_EQ(ReadAll(folder_ / "a.plan"), ReadAll(folder_ / "b.plan"));
}

TEST_F(PlanCommandTest, TellsEveryMistakeOfAPlanAtOnce) {
  Write(folder_ / "tiny/plan.toml",
        "[plan]\nname = \"x\"\nversion = 1\nsource = \"tiny.py\"\ncolour = \"red\"\n"
        "[training]\nlearning_rate = -1\n");
  const Ran ran = RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_, "--key", key_});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("colour"), std::string::npos) << ran.error;
  EXPECT_NE(ran.error.find("learning_rate"), std::string::npos) << ran.error;
}

TEST_F(PlanCommandTest, WithoutAKeySaysWhereToFindOne) {
  const Ran ran = RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("--key"), std::string::npos) << ran.error;
}

TEST_F(PlanCommandTest, PricesAPlanForSeveralFleets) {
  const Ran ran =
      RunAisle({"plan", "price", folder_ / "tiny", "--rounds", "10", "--stores", "12", "--stores", "2000", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const Json json = Json::parse(ran.out, nullptr, false);
  EXPECT_EQ(json["unit"], "store");
  EXPECT_EQ(json["rounds"], 10);
  ASSERT_EQ(json["prices"].size(), 2U);
  EXPECT_EQ(json["prices"][0]["floor_epsilon"], json["prices"][1]["floor_epsilon"]);
  EXPECT_GT(json["prices"][0]["aggregate_epsilon"], json["prices"][1]["aggregate_epsilon"]);
  const Ran text = RunAisle({"plan", "price", folder_ / "tiny"});
  EXPECT_NE(text.out.find("per store, at delta 1e-05"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("20,000"), std::string::npos) << text.out;
}

TEST_F(PlanCommandTest, SaysPlainlyThatAPlanPromisesNothing) {
  WriteTinyPlan(folder_ / "open", 0);
  EXPECT_NE(RunAisle({"plan", "price", folder_ / "open"}).out.find("promises nothing"), std::string::npos);
}

TEST_F(PlanCommandTest, NeverBelievesADamagedFile) {
  ASSERT_EQ(RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_, "--key", key_}).code, 0);
  std::string bytes = ReadAll(plan_);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  Write(plan_, bytes);
  const Ran ran = RunAisle({"plan", "show", plan_});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("damaged"), std::string::npos) << ran.error;
  EXPECT_EQ(RunAisle({"plan", "show", folder_ / "nothing"}).code, 3);
}

TEST_F(PlanCommandTest, PricesAPlanFromItsTomlAloneOrFromAPlanFile) {
  ASSERT_EQ(RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_, "--key", key_}).code, 0);
  const std::vector<std::string> options = {"--stores", "200", "--rounds", "20", "--json"};
  const auto price = [&](const std::string& path) {
    std::vector<std::string> words = {"privacy", "price", path};
    words.insert(words.end(), options.begin(), options.end());
    return RunAisle(words).out;
  };
  const std::string built = price(plan_);
  std::filesystem::remove(folder_ / "tiny/tiny.py");
  EXPECT_EQ(price(folder_ / "tiny/plan.toml"), built);
  const Json json = Json::parse(built, nullptr, false);
  EXPECT_EQ(json["mode"], "store");
  EXPECT_EQ(json["unit"], "store");
  EXPECT_EQ(json["smallest_cohort"]["stores"], 2);
  EXPECT_DOUBLE_EQ(json["prices"][0]["noise"].get<double>(), 1.5 / std::sqrt(200));
  EXPECT_GE(json["prices"][0]["ledger_epsilon"], json["prices"][0]["floor_epsilon"]);
  EXPECT_GE(json["prices"][0]["aggregate_ledger_epsilon"], json["prices"][0]["aggregate_epsilon"]);
}

TEST_F(PlanCommandTest, NamesModeAndUnitWithEveryPrice) {
  const Ran ran = RunAisle({"privacy", "price", folder_ / "tiny", "--stores", "40"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_NE(ran.out.find("mode store, unit store"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Every epsilon is per store, at delta 1e-05"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("The smallest cohort is 2 stores"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("The secure sum is off"), std::string::npos) << ran.out;
}

TEST_F(PlanCommandTest, SaysWhatStoresAreChargedUnderTheSecureSum) {
  std::string toml = ReadAll(folder_ / "tiny/plan.toml");
  const auto replace = [&toml](const std::string& old, const std::string& text) {
    ASSERT_NE(toml.find(old), std::string::npos) << old;
    toml.replace(toml.find(old), old.size(), text);
  };
  const std::vector<std::string> words = {"privacy", "price", folder_ / "tiny", "--json"};
  const Json off = Json::parse(RunAisle(words).out, nullptr, false);
  EXPECT_EQ(off["secure_sum"], false);
  EXPECT_EQ(off["honest_stores_min"], 1);
  EXPECT_EQ(off["aggregate_in_ledgers"], off["prices"][0]["ledger_epsilon"]);
  replace("secure_sum = false", "corrupt_share = 0.25");
  replace("min = 2\ntarget = 3", "min = 8\ntarget = 9");
  Write(folder_ / "tiny/plan.toml", toml);
  const Json on = Json::parse(RunAisle(words).out, nullptr, false);
  EXPECT_EQ(on["honest_stores_min"], 6);
  EXPECT_LT(on["aggregate_in_ledgers"].get<double>(), off["aggregate_in_ledgers"].get<double>());
  EXPECT_GT(on["aggregate_in_ledgers"].get<double>(), on["smallest_cohort"]["aggregate_ledger_epsilon"].get<double>());
  const Ran text = RunAisle({"privacy", "price", folder_ / "tiny"});
  EXPECT_NE(text.out.find("With at most 25% of a cohort colluding"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("the noise of 6 honest"), std::string::npos) << text.out;
}

TEST_F(PlanCommandTest, PricesSampledCustomersAndLocalStepsAsSuch) {
  WriteTinyPlan(folder_ / "customers", 1.5);
  std::string toml = ReadAll(folder_ / "customers/plan.toml");
  const auto replace = [&toml](const std::string& old, const std::string& text) {
    ASSERT_NE(toml.find(old), std::string::npos) << old;
    toml.replace(toml.find(old), old.size(), text);
  };
  replace("mode = \"store\"",
          "mode = \"local-sgd\"\nsampling_rate = 0.05\ncustomers_per_store = 1000\nsteps = 25\n"
          "update_norm_max = 1.0");
  replace("units = {", "household = {type = \"customer\"}\nunits = {");
  replace("\nepochs = 1\nbatch_size = 32\n", "\n");
  Write(folder_ / "customers/plan.toml", toml);
  const Ran ran = RunAisle({"privacy", "price", folder_ / "customers", "--rounds", "4", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const Json json = Json::parse(ran.out, nullptr, false);
  EXPECT_EQ(json["mode"], "local-sgd");
  EXPECT_EQ(json["unit"], "customer");
  EXPECT_EQ(json["has_aggregate"], false);
  const Ran same =
      RunAisle({"privacy", "epsilon", "--q", "0.05", "--sigma", "1.5", "--steps", "100", "--delta", "1e-5", "--json"});
  EXPECT_EQ(json["prices"][0]["floor_epsilon"], Json::parse(same.out, nullptr, false)["epsilon"]);
  EXPECT_NE(RunAisle({"privacy", "price", folder_ / "customers"}).out.find("the floor is the whole claim"),
            std::string::npos);
}

TEST_F(PlanCommandTest, PricesNoMoreRoundsThanTheContractAllows) {
  const Ran ran = RunAisle({"privacy", "price", folder_ / "tiny", "--rounds", "51"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("50 rounds"), std::string::npos) << ran.error;
}

TEST(PrivacyCommandTest, AgreesWithTheClosedFormAndNamesItsDelta) {
  const Ran ran = RunAisle({"privacy", "epsilon", "--sigma", "1", "--steps", "1", "--delta", "1e-5", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const Json json = Json::parse(ran.out, nullptr, false);
  EXPECT_EQ(json["accountant"], "exact");
  EXPECT_NEAR(json["epsilon"].get<double>(), 4.377, 0.001);  // Balle and Wang 2018.
  EXPECT_NEAR(json["epsilon_pld"].get<double>(), json["epsilon"].get<double>(), 1e-3);
  EXPECT_GE(json["epsilon_rdp"].get<double>(), json["epsilon_exact"].get<double>());
  EXPECT_EQ(json["delta"], 1e-5);
}

TEST(PrivacyCommandTest, EachAccountantAnswersInTheKeyEpsilon) {
  const std::vector<std::string> question = {"privacy", "epsilon", "--q",     "0.01", "--sigma", "1",
                                             "--steps", "500",     "--delta", "1e-5", "--json"};
  const auto epsilon_by = [&](const std::string& accountant) {
    std::vector<std::string> words = question;
    words.insert(words.end(), {"--accountant", accountant});
    return Json::parse(RunAisle(words).out, nullptr, false)["epsilon"].get<double>();
  };
  EXPECT_NEAR(epsilon_by("rdp"), 1.6528762154204388, 1e-3);  // dp_accounting 0.6.0
  EXPECT_NEAR(epsilon_by("pld"), 1.32639, 2e-3);
  std::vector<std::string> exact = question;
  exact.insert(exact.end(), {"--accountant", "exact"});
  EXPECT_EQ(RunAisle(exact).code, 4);
}

TEST(PrivacyCommandTest, LongerNamesOfOptionsMeanTheSame) {
  const std::vector<std::string> brief = {"privacy", "epsilon", "--q", "0.1", "--sigma", "2", "--steps", "9", "--json"};
  const std::vector<std::string> old = {"privacy",  "epsilon", "--sampling-rate", "0.1", "--noise-multiplier", "2",
                                        "--rounds", "9",       "--json"};
  EXPECT_EQ(RunAisle(brief).out, RunAisle(old).out);
}

TEST(PrivacyCommandTest, RefusesNumbersOutOfRange) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--sigma", "0"},
                                                {"--sigma", "nan"},
                                                {"--sigma", "1", "--delta", "2"},
                                                {"--sigma", "1", "--q", "1.5"},
                                                {"--sigma", "1", "--q", "0"}}) {
    std::vector<std::string> words = {"privacy", "epsilon"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(RunAisle(words).code, 4) << wrong[1];
  }
  EXPECT_EQ(RunAisle({"privacy", "epsilon", "--sigma", "1", "--steps", "0"}).code, 2);
  EXPECT_EQ(RunAisle({"privacy", "calibrate", "--epsilon", "0"}).code, 4);
}

TEST(PrivacyCommandTest, CalibratedNoiseKeepsItsTarget) {
  const Ran ran = RunAisle(
      {"privacy", "calibrate", "--epsilon", "2", "--delta", "1e-6", "--q", "0.01", "--steps", "1000", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const Json json = Json::parse(ran.out, nullptr, false);
  EXPECT_EQ(json["accountant"], "pld");
  EXPECT_EQ(json["noise_multiplier"], json["noise_multiplier_pld"]);
  EXPECT_LT(json["noise_multiplier_pld"], json["noise_multiplier_rdp"]);
  const Ran back = RunAisle({"privacy", "epsilon", "--q", "0.01", "--steps", "1000", "--delta", "1e-6", "--json",
                             "--sigma", json["noise_multiplier"].dump()});
  const double epsilon = Json::parse(back.out, nullptr, false)["epsilon"].get<double>();
  EXPECT_LE(epsilon, 2);
  EXPECT_GT(epsilon, 1.99);
}

class LedgerCommandTest : public ::testing::Test {
 protected:
  LedgerCommandTest() {
    auto opened = Ledger::Open(*StoreId::Parse("leeds-01"), absl::FromUnixSeconds(1'700'000'000));
    std::string bytes = std::move(opened.bytes);
    const Debit debit{.population = *Population::Parse("sales"),
                      .round = {*JobId::Parse("demand"), 3},
                      .plan = Sha256::Of("plan"),
                      .unit = PrivacyUnit::kStore,
                      .noise_multiplier = 2,
                      .delta = 1e-5};
    auto pending =
        opened.ledger.Prepare(debit, {.floor_per_year = 100, .delta = 1e-5}, absl::FromUnixSeconds(1'700'000'100));
    EXPECT_TRUE(pending.ok()) << pending.status();
    bytes += pending->bytes();
    std::filesystem::create_directories(folder_ / "state/ledger");
    file_ = folder_ / "state/ledger/ledger";
    Write(file_, bytes);
  }
  TemporaryFolder folder_;
  std::string file_;
};

TEST_F(LedgerCommandTest, ShowsWhatHasLeftAndAtWhatEpsilon) {
  for (const std::string& data : {folder_ / "state", folder_ / "state/ledger", file_}) {
    const Ran ran = RunAisle({"ledger", "show", "--data", data});
    EXPECT_EQ(ran.code, 0) << ran.error;
    EXPECT_NE(ran.out.find("demand/3"), std::string::npos) << ran.out;
  }
  const Json json = Json::parse(RunAisle({"ledger", "show", "--data", file_, "--json"}).out, nullptr, false);
  EXPECT_EQ(json["store"], "leeds-01");
  EXPECT_EQ(json["entries"][0]["round"], "demand/3");
  EXPECT_GT(json["populations"][0]["ever"]["floor_epsilon"].get<double>(), 0);
}

TEST_F(LedgerCommandTest, VerifiesTheChainAndNoticesAnEdit) {
  EXPECT_EQ(Json::parse(RunAisle({"ledger", "verify", "--data", file_, "--json"}).out, nullptr, false)["intact"], true);
  std::string bytes = ReadAll(file_);
  bytes[bytes.size() - 60] = static_cast<char>(bytes[bytes.size() - 60] ^ 1);
  Write(file_, bytes);
  const Ran ran = RunAisle({"ledger", "verify", "--data", file_});
  EXPECT_EQ(ran.code, 4) << ran.out;
  EXPECT_TRUE(ran.error.starts_with("aisle: ")) << ran.error;
}

TEST_F(LedgerCommandTest, SaysSoWhereThereIsNone) {
  EXPECT_EQ(RunAisle({"ledger", "show", "--data", folder_ / "elsewhere"}).code, 3);
  EXPECT_EQ(RunAisle({"ledger", "show", "--data", folder_.path()}).code, 3);
}

}  // namespace
}  // namespace aisle::cli
