// The sample files of config/ are read by the programs they are for, and show the defaults they say they show.
#include <gtest/gtest.h>

#include "coordinator/program/config.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/policy/site_policy.h"
#include "store-agent/program/config.h"
#include "store-agent/tables/schema.h"

namespace aisle {
namespace {

const std::string kSamples = std::string(AISLE_SOURCE_DIR) + "/config/";

TEST(ConfigSamplesTest, TheCoordinatorsShowsEveryDefault) {
  const StatusOr<CoordinatorConfig> sample = CoordinatorConfig::Load(kSamples + "coordinator.toml");
  ASSERT_TRUE(sample.ok()) << sample.status();
  const CoordinatorConfig defaults;
  EXPECT_EQ(sample->listen, defaults.listen);
  EXPECT_EQ(sample->metrics_listen, defaults.metrics_listen);
  EXPECT_EQ(sample->data, kSamples + defaults.data);
  EXPECT_EQ(sample->identity, kSamples + defaults.identity);
  EXPECT_EQ(sample->plan_keys, defaults.plan_keys);
  EXPECT_EQ(sample->log_level, defaults.log_level);
  const CoordinatorPolicy& shown = sample->policy;
  const CoordinatorPolicy& policy = defaults.policy;
  EXPECT_EQ(shown.pace.check_ins_per_second, policy.pace.check_ins_per_second);
  EXPECT_EQ(shown.pace.hold_max, policy.pace.hold_max);
  EXPECT_EQ(shown.pace.come_back_min, policy.pace.come_back_min);
  EXPECT_EQ(shown.pace.come_back_max, policy.pace.come_back_max);
  EXPECT_EQ(shown.pace.waiting_max, policy.pace.waiting_max);
  EXPECT_EQ(shown.enrolment.code_lifetime, policy.enrolment.code_lifetime);
  EXPECT_EQ(shown.enrolment.certificate_lifetime, policy.enrolment.certificate_lifetime);
  EXPECT_EQ(shown.enrolment.repeat_window, policy.enrolment.repeat_window);
  EXPECT_EQ(shown.presence_window, policy.presence_window);
  EXPECT_EQ(shown.turn_wait, policy.turn_wait);
  EXPECT_EQ(shown.restart_grace, policy.restart_grace);
  EXPECT_EQ(shown.reopen_min, policy.reopen_min);
  EXPECT_EQ(shown.reopen_max, policy.reopen_max);
  EXPECT_EQ(shown.aborts_in_a_row_max, policy.aborts_in_a_row_max);
  EXPECT_EQ(shown.jobs_max, policy.jobs_max);
}

// Else a restarted coordinator would close phases before stores that backed off have found it again.
TEST(ConfigSamplesTest, ARestartedCoordinatorWaitsLongerThanStoresBackOff) {
  EXPECT_GT(CoordinatorPolicy{}.restart_grace, agent::kBackoffCap);
  EXPECT_GT(CoordinatorConfig::Load(kSamples + "coordinator.toml")->policy.restart_grace, agent::kBackoffCap);
}

TEST(ConfigSamplesTest, TheAgentsShowsEveryDefault) {
  const StatusOr<AgentConfig> sample = AgentConfig::Load(kSamples + "agent.toml");
  ASSERT_TRUE(sample.ok()) << sample.status();
  const AgentConfig defaults;
  EXPECT_EQ(sample->data, kSamples + defaults.data);
  EXPECT_EQ(sample->enrolment, kSamples + defaults.enrolment);
  EXPECT_EQ(sample->coordinator, defaults.coordinator);
  EXPECT_EQ(sample->tables, kSamples + defaults.tables);
  EXPECT_EQ(sample->policy, kSamples + defaults.policy);
  EXPECT_EQ(sample->drop_folder, kSamples + defaults.drop_folder);
  EXPECT_TRUE(sample->worker.ends_with("/" + defaults.worker)) << sample->worker;
  EXPECT_EQ(sample->metrics_listen, defaults.metrics_listen);
  EXPECT_EQ(sample->log_level, defaults.log_level);
  EXPECT_EQ(sample->worker_idle, defaults.worker_idle);
  EXPECT_EQ(sample->checkpoint_every, defaults.checkpoint_every);
  EXPECT_EQ(sample->cache_size_max, defaults.cache_size_max);
}

TEST(ConfigSamplesTest, TheContainersStoresAreConfigured) {
  const StatusOr<AgentConfig> agent = AgentConfig::Load(std::string(AISLE_SOURCE_DIR) + "/docker/store/agent.toml");
  EXPECT_TRUE(agent.ok()) << agent.status();
  const StatusOr<SitePolicy> policy =
      SitePolicy::ParseFile(std::string(AISLE_SOURCE_DIR) + "/docker/store/site-policy.toml");
  EXPECT_TRUE(policy.ok()) << policy.status();
}

TEST(ConfigSamplesTest, TheSitePolicyShowsEveryDefault) {
  const StatusOr<SitePolicy> sample = SitePolicy::ParseFile(kSamples + "site-policy.toml");
  ASSERT_TRUE(sample.ok()) << sample.status();
  const SitePolicy defaults;
  EXPECT_EQ(sample->plan_names, defaults.plan_names);
  EXPECT_EQ(sample->plan_digests, defaults.plan_digests);
  EXPECT_EQ(sample->tables, defaults.tables);
  EXPECT_EQ(sample->memory_max, defaults.memory_max);
  EXPECT_EQ(sample->cpu_time_max, defaults.cpu_time_max);
  EXPECT_EQ(sample->wall_time_max, defaults.wall_time_max);
  EXPECT_EQ(sample->threads, defaults.threads);
  EXPECT_EQ(sample->bytes_per_day, defaults.bytes_per_day);
  EXPECT_EQ(sample->units, defaults.units);
  EXPECT_EQ(sample->caps.floor_per_year, defaults.caps.floor_per_year);
  EXPECT_EQ(sample->caps.aggregate_per_year, defaults.caps.aggregate_per_year);
  EXPECT_EQ(sample->caps.floor_ever, defaults.caps.floor_ever);
  EXPECT_EQ(sample->caps.delta, defaults.caps.delta);
  EXPECT_EQ(sample->secure_sum_required, defaults.secure_sum_required);
  EXPECT_EQ(sample->cohort_min, defaults.cohort_min);
  EXPECT_EQ(sample->customers.population, defaults.customers.population);
  EXPECT_EQ(sample->customers.presence(), defaults.customers.presence());
}

class TablesSampleTest : public ::testing::TestWithParam<const char*> {};

TEST_P(TablesSampleTest, Parses) {
  const StatusOr<Schema> sample = Schema::ParseFile(std::string(AISLE_SOURCE_DIR) + "/" + GetParam());
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_FALSE(sample->tables.empty());
}

INSTANTIATE_TEST_SUITE_P(, TablesSampleTest, ::testing::Values("config/tables.toml", "docker/store/tables.toml"));

}  // namespace
}  // namespace aisle
