#include "store-agent/program/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "store-agent/program/folder_lock.h"
#include "store-agent/program/hours_watch.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

TEST(AgentConfigTest, TheSampleFileHoldsTheDefaults) {
  std::ifstream file(AISLE_CONFIG_FOLDER "/agent.toml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const StatusOr<AgentConfig> sample = AgentConfig::Parse(text, "config/agent.toml");
  ASSERT_TRUE(sample.ok()) << sample.status();
  const AgentConfig defaults;
  EXPECT_EQ(sample->data, defaults.data);
  EXPECT_EQ(sample->enrolment, defaults.enrolment);
  EXPECT_EQ(sample->coordinator, defaults.coordinator);
  EXPECT_EQ(sample->tables, defaults.tables);
  EXPECT_EQ(sample->policy, defaults.policy);
  EXPECT_EQ(sample->drop_folder, defaults.drop_folder);
  EXPECT_EQ(sample->worker, defaults.worker);
  EXPECT_EQ(sample->metrics_listen, defaults.metrics_listen);
  EXPECT_EQ(sample->log_level, defaults.log_level);
  EXPECT_EQ(sample->worker_idle, defaults.worker_idle);
  EXPECT_EQ(sample->checkpoint_every, defaults.checkpoint_every);
  EXPECT_EQ(sample->cache_size_max, defaults.cache_size_max);
}

TEST(AgentConfigTest, AllMistakesAreToldAtOnce) {
  const Status status = AgentConfig::Parse("dta = \"x\"\nworker_idle = \"soon\"\nlog_level = \"loud\"\n", "f").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  for (const char* what : {"dta", "worker_idle", "log_level"}) {
    EXPECT_NE(MessageOf(status).find(what), std::string_view::npos) << status;
  }
}

TEST(AgentConfigTest, PathsAreTakenFromTheFilesFolder) {
  const TemporaryFolder folder;
  folder.Write("agent.toml", "data = \"state\"\ntables = \"/etc/aisle/tables.toml\"\nworker = \"../bin/w\"\n");
  const AgentConfig config = AgentConfig::Load(folder.File("agent.toml")).value();
  EXPECT_EQ(config.data, folder.File("state"));
  EXPECT_EQ(config.tables, "/etc/aisle/tables.toml");
  EXPECT_TRUE(config.worker.ends_with("/bin/w"));
  EXPECT_EQ(config.worker.find(".."), std::string::npos);
}

TEST(FolderLockTest, TwoAgentsCantShareAFolder) {
  const TemporaryFolder folder;
  {
    const StatusOr<FolderLock> first = FolderLock::Take(folder.File("data"));
    ASSERT_TRUE(first.ok());
    const Status second = FolderLock::Take(folder.File("data")).status();
    EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
    EXPECT_NE(MessageOf(second).find("another aisle-agent works in"), std::string_view::npos) << second;
  }
  EXPECT_TRUE(FolderLock::Take(folder.File("data")).ok());
}

TEST(HoursWatchTest, TellsOfEveryBoundaryWithASpread) {
  ManualExecutor executor(absl::FromUnixSeconds(1'800'000'000 / 86400 * 86400));  // Midnight UTC.
  const Hours hours({ParseHourWindow("22:00-06:00").value()}, absl::UTCTimeZone());
  AesCtrStream random(SecretBytes(32), "hours");
  int changes = 0;
  HoursWatch watch(executor, hours, random, [&] { ++changes; });
  watch.Watch();
  executor.Advance(absl::Hours(6));
  executor.Advance(kHoursSpread);
  EXPECT_EQ(changes, 1);
  executor.Advance(absl::Hours(16));
  EXPECT_EQ(changes, 2);
  executor.Advance(absl::Hours(24 * 10));
  EXPECT_EQ(changes, 22);
}

TEST(HoursWatchTest, AlwaysOpenNeverTells) {
  ManualExecutor executor;
  AesCtrStream random(SecretBytes(32), "hours");
  const Hours hours;
  HoursWatch watch(executor, hours, random, [] { FAIL(); });
  watch.Watch();
  executor.Advance(absl::Hours(1000));
}

}  // namespace
}  // namespace aisle
