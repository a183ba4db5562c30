// An agent that can't start says what stands in its way, by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store-agent/program/agent.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AgentStartTest : public ::testing::Test {
 protected:
  std::string Refusal() {
    return std::string(MessageOf(Agent::Start(config_, [] { return true; }).status()));
  }
  const TemporaryFolder folder_;
  AgentConfig config_ = [this] {
    AgentConfig config;
    config.data = folder_.File("data");
    config.enrolment = folder_.File("enrolment.toml");
    config.drop_folder = folder_.File("drop");
    config.policy = folder_.Write("policy.toml", "");
    config.tables = folder_.Write("tables.toml", "[sales.columns]\nweek = {type = \"int64\"}\n");
    config.metrics_listen = "127.0.0.1:0";
    return config;
  }();
};

TEST_F(AgentStartTest, AFolderThatCannotBeWrittenIsNamed) {
  config_.data = folder_.Write("a-file", "") + "/data";
  EXPECT_THAT(Refusal(), HasSubstr(folder_.File("a-file")));
}

TEST_F(AgentStartTest, MistakesInTablesAreNamedWithTheirFile) {
  folder_.Write("tables.toml", "[sales.columns]\nweek = {type = \"integer\"}\nprice = {typ = \"double\"}\n");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(config_.tables), HasSubstr("week"), HasSubstr("price")));
}

TEST_F(AgentStartTest, MistakesInThePolicyAreNamedWithTheirFile) {
  folder_.Write("policy.toml", "plns = []\nmemory_max = 7\n");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(config_.policy), HasSubstr("plns"), HasSubstr("memory_max")));
}

TEST_F(AgentStartTest, AStoreThatIsNeitherEnrolledNorInvitedIsTold) {
  EXPECT_THAT(Refusal(), HasSubstr(config_.enrolment));
}

}  // namespace
}  // namespace aisle
