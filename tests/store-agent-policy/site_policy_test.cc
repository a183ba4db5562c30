#include "store-agent/policy/site_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kHex(64, 'a');

TEST(SitePolicyTest, ReadsEveryKey) {
  const StatusOr<SitePolicy> policy = SitePolicy::Parse(fmt::format(R"(
[plans]
names = ["demand"]
digests = ["{}"]
[tables.sales]
columns = ["week", "price"]
[tables.stores]
[hours]
training = ["22:00-06:00", "12:00-13:00"]
time_zone = "UTC"
[limits]
memory = "512 MiB"
cpu_time = "5m"
wall_time = "10m"
threads = 2
bytes_per_day = "50 MiB"
[privacy]
units = ["store", "none"]
floor_epsilon_per_year = 4
aggregate_epsilon_per_year = 2.5
epsilon_max = 40
delta = 1e-7
secure_sum = "optional"
cohort_min = 12
corrupt_share_min = 0.0421
[customers]
population = "shoppers"
stores_max = 3
[customers.populations]
shifts = "staff"
)",
                                                                    kHex));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE(policy->AllowsPlan("demand", {}));
  EXPECT_FALSE(policy->AllowsPlan("other", {}));
  EXPECT_TRUE(policy->AllowsPlan("other", *Digest::FromHex(kHex)));
  EXPECT_TRUE(policy->AllowsColumn("sales", "week"));
  EXPECT_FALSE(policy->AllowsColumn("sales", "customer"));
  EXPECT_TRUE(policy->AllowsColumn("stores", "anything"));
  EXPECT_FALSE(policy->AllowsColumn("visits", "week"));
  EXPECT_EQ(policy->hours.ToString(), "22:00-06:00, 12:00-13:00 (UTC)");
  EXPECT_EQ(policy->memory_max, 512u << 20);
  EXPECT_EQ(policy->cpu_time_max, absl::Minutes(5));
  EXPECT_EQ(policy->wall_time_max, absl::Minutes(10));
  EXPECT_EQ(policy->threads, 2u);
  EXPECT_EQ(policy->bytes_per_day, 50u << 20);
  EXPECT_EQ(policy->units, (std::set<PrivacyUnit>{PrivacyUnit::kNone, PrivacyUnit::kStore}));
  EXPECT_EQ(policy->caps.floor_per_year, 4);
  EXPECT_EQ(policy->caps.aggregate_per_year, 2.5);
  EXPECT_EQ(policy->caps.floor_ever, 40);
  EXPECT_EQ(policy->caps.delta, 1e-7);
  EXPECT_FALSE(policy->secure_sum_required);
  EXPECT_EQ(policy->cohort_min, 12u);
  EXPECT_EQ(policy->corrupt_permille_min, 43u) << "plans count in thousandths: rounded towards caution";
  EXPECT_EQ(policy->customers.PopulationOf("sales").str(), "shoppers");
  EXPECT_EQ(policy->customers.PopulationOf("shifts").str(), "staff");
  EXPECT_EQ(policy->customers.presence(), Presence::kStoresMax);
  EXPECT_EQ(policy->customers.stores_max, 3u);
}

TEST(SitePolicyTest, ReadsTheHomeStoreRule) {
  const StatusOr<SitePolicy> policy = SitePolicy::Parse("[customers]\ncandidates = [\"s2\", \"s1\"]");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->customers.presence(), Presence::kHomeStore);
  EXPECT_EQ(policy->customers.candidates.front().str(), "s1");
  EXPECT_FALSE(SitePolicy::Parse("[customers]\ncandidates = [\"s1\"]").ok());
}

TEST(SitePolicyTest, AnAbsentOrEmptyFileGivesTheDefaults) {
  const TemporaryFolder folder;
  for (const StatusOr<SitePolicy>& policy :
       {SitePolicy::Parse(""), SitePolicy::ParseFile(folder.File("site-policy.toml"))}) {
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_TRUE(policy->AllowsPlan("any", {}));
    EXPECT_TRUE(policy->AllowsColumn("any", "column"));
    EXPECT_FALSE(policy->units.contains(PrivacyUnit::kNone));
    EXPECT_TRUE(policy->secure_sum_required);
    EXPECT_EQ(policy->cohort_min, 2u);
    EXPECT_EQ(policy->corrupt_permille_min, 0u);
    EXPECT_EQ(policy->caps.floor_per_year, 10);
    EXPECT_EQ(policy->customers.PopulationOf("sales").str(), "customers");
    EXPECT_EQ(policy->customers.presence(), Presence::kThisStore);
  }
}

TEST(SitePolicyTest, DigestsAloneAllowExactVersionsOnly) {
  const StatusOr<SitePolicy> policy = SitePolicy::Parse(fmt::format("[plans]\ndigests = [\"{}\"]", kHex));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_FALSE(policy->AllowsPlan("demand", {}));
  EXPECT_TRUE(policy->AllowsPlan("demand", *Digest::FromHex(kHex)));
}

TEST(SitePolicyTest, AShareOfColludersIsAShare) {
  for (const char* share : {"-0.01", "0.31", "nan"}) {
    const Status status = SitePolicy::Parse(fmt::format("[privacy]\ncorrupt_share_min = {}", share)).status();
    EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("privacy.corrupt_share_min (line 2)")) << share;
  }
  EXPECT_EQ(SitePolicy::Parse("[privacy]\ncorrupt_share_min = 0.3")->corrupt_permille_min, 300u);
}

TEST(SitePolicyTest, TellsAllMistakesAtOnce) {
  const Status status = SitePolicy::Parse(R"(
[plans]
digests = ["abc"]
[tables."A B"]
colums = ["x"]
[hours]
training = ["22-06"]
time_zone = "Mars/Olympus"
[limits]
memory = "lots"
threads = 0
[privacy]
units = ["household"]
epsilon_max = -1
delta = 0.5
secure_sum = true
cohort_min = 1
[customers]
population = "store"
candidates = ["s1", "s1"]
stores_max = 0
[metrics]
)")
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(status)),
              AllOf(HasSubstr("plans.digests (line 3)"), HasSubstr("table name"),
                    HasSubstr("colums (line 5): is not a known key"), HasSubstr("\"22-06\" isn't a window"),
                    HasSubstr("no time zone \"Mars/Olympus\""), HasSubstr("limits.memory (line 10)"),
                    HasSubstr("limits.threads (line 11)"), HasSubstr("privacy.units"),
                    HasSubstr("privacy.epsilon_max (line 14)"), HasSubstr("privacy.delta (line 15)"),
                    HasSubstr("privacy.secure_sum (line 16)"), HasSubstr("privacy.cohort_min (line 17): is 1"),
                    HasSubstr("customers.population (line 19)"), HasSubstr("names a store twice"),
                    HasSubstr("customers.stores_max (line 21): is 0"), HasSubstr("two answers to one question"),
                    HasSubstr("metrics (line 22): is not a known key")));
}

}  // namespace
}  // namespace aisle
