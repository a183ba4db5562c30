// A coordinator that can't start says what stands in its way, by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

using ::testing::HasSubstr;

class StartTest : public ::testing::Test {
 protected:
  std::string Refusal(const CoordinatorConfig& config) {
    return std::string(MessageOf(CoordinatorServer::Start(config).status()));
  }
  const TemporaryFolder folder_;
  LiveHeadquarters running_;
  CoordinatorConfig config_ = [this] {
    CoordinatorConfig config = running_.config();
    config.data = folder_.File("data");
    return config;
  }();
};

TEST_F(StartTest, APortInUseIsNamed) {
  config_.listen = fmt::format("127.0.0.1:{}", running_.port());
  EXPECT_THAT(Refusal(config_), HasSubstr(config_.listen));
}

TEST_F(StartTest, AMetricsPortInUseIsNamed) {
  config_.metrics_listen = fmt::format("127.0.0.1:{}", running_.metrics_port());
  EXPECT_THAT(Refusal(config_), HasSubstr(std::to_string(running_.metrics_port())));
}

TEST_F(StartTest, AFolderThatCannotBeWrittenIsNamed) {
  config_.data = folder_.Write("a-file", "") + "/data";
  EXPECT_THAT(Refusal(config_), HasSubstr(folder_.File("a-file")));
}

TEST_F(StartTest, AFolderInUseIsNamed) {
  config_.data = running_.config().data;
  EXPECT_THAT(Refusal(config_), HasSubstr(config_.data));
}

TEST_F(StartTest, AChainThatIsNotThereIsNamed) {
  config_.identity = folder_.File("no-chain");
  EXPECT_THAT(Refusal(config_), HasSubstr(config_.identity));
}

TEST_F(StartTest, AfterARefusalItStartsOnceThatIsMended) {
  config_.listen = fmt::format("127.0.0.1:{}", running_.port());
  ASSERT_FALSE(CoordinatorServer::Start(config_).ok());
  config_.listen = "127.0.0.1:0";
  EXPECT_TRUE(CoordinatorServer::Start(config_).ok());
}

TEST_F(StartTest, RemovesWhatWasHalfSentADayBefore) {
  for (const char* sent : {"young", "old"}) {
    folder_.Write("data/blobs/incoming/" + Sha256::Of(sent).Hex(), "half of it");
  }
  const std::string old = folder_.File("data/blobs/incoming/" + Sha256::Of("old").Hex());
  std::filesystem::last_write_time(old, std::filesystem::last_write_time(old) - std::chrono::hours(25));
  ASSERT_TRUE(CoordinatorServer::Start(config_).ok());
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("data/blobs/incoming/" + Sha256::Of("young").Hex())));
}

TEST(CoordinatorConfigTest, TellsAllMistakesAtOnce) {
  const Status refused = CoordinatorConfig::Parse(
                             "lisen = \"0.0.0.0:7400\"\n[pace]\nhold_max = \"90s\"\ncheck_ins_per_second = 0\n"
                             "[rounds]\njobs_max = \"many\"\npatience = \"2m\"\n[typo]\nx = 1\n",
                             "coordinator.toml")
                             .status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  const std::string all(MessageOf(refused));
  for (const char* what :
       {"lisen", "hold_max", "limit of 60s", "check_ins_per_second", "jobs_max", "patience", "typo"}) {
    EXPECT_THAT(all, HasSubstr(what));
  }
}

}  // namespace
}  // namespace aisle::test
