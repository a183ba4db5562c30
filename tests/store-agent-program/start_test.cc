// An agent that can't start says what stands in its way, by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/net/http_endpoint.h"
#include "store-agent/program/agent.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-transfer/fake_fleet.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AgentStartTest : public ::testing::Test {
 protected:
  std::string Refusal() {
    return std::string(MessageOf(Agent::Start(config_, [] { return true; }).status()));
  }
  void InviteTo(const FakeFleet& fleet) {
    folder_.Write("enrolment.toml",
                  fmt::format("coordinator = \"{}\"\nstore = \"s1\"\nchain = \"northwind\"\ncode = \"{}\"\n"
                              "ca_pem = '''\n{}'''\n",
                              fleet.address(), fleet.code, fleet.authority().root_pem()));
    std::filesystem::permissions(config_.enrolment,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
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

TEST_F(AgentStartTest, AMetricsAddressThatIsTakenIsNamed) {
  FakeFleet fleet;  // The agent joins first: the address is its last step.
  InviteTo(fleet);
  const auto other = HttpEndpoint::Start({.host = "127.0.0.1"}).value();
  config_.metrics_listen = fmt::format("127.0.0.1:{}", other->port());
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(config_.metrics_listen), HasSubstr("in use")));
}

}  // namespace
}  // namespace aisle
