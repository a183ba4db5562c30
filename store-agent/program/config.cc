#include "store-agent/program/config.h"

#include <filesystem>

#include "base/config.h"
#include "base/log.h"

namespace aisle {
namespace {

constexpr absl::Duration kWorkerIdleMax = absl::Hours(24);
constexpr absl::Duration kCheckpointEveryMax = absl::Hours(24);
constexpr uint64_t kCacheSizeMin = uint64_t{16} << 20;

StatusOr<AgentConfig> FromTable(ConfigTable root) {
  AgentConfig config;
  root.Read("data", config.data);
  root.Read("enrolment", config.enrolment);
  root.Read("coordinator", config.coordinator);
  root.Read("tables", config.tables);
  root.Read("policy", config.policy);
  root.Read("drop_folder", config.drop_folder);
  root.Read("worker", config.worker);
  root.Read("metrics_listen", config.metrics_listen);
  root.Read("log_level", config.log_level);
  root.ReadDuration("worker_idle", config.worker_idle);
  root.ReadDuration("checkpoint_every", config.checkpoint_every);
  root.ReadByteCount("cache_size_max", config.cache_size_max);
  if (const StatusOr<LogLevel> level = ParseLogLevel(config.log_level); !level.ok()) {
    root.Refuse("log_level", MessageOf(level.status()));
  }
  if (config.worker_idle > kWorkerIdleMax) root.Refuse("worker_idle", "is above the limit of 24h");
  if (config.checkpoint_every > kCheckpointEveryMax) root.Refuse("checkpoint_every", "is above the limit of 24h");
  if (config.cache_size_max < kCacheSizeMin) root.Refuse("cache_size_max", "is below the limit of 16 MiB");
  AISLE_RETURN_IF_ERROR(root.Finish());
  return config;
}

// A program without a folder lies beside this one.
std::string BesideUs(const std::string& program) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? program : (self.parent_path() / program).string();
}

}  // namespace

StatusOr<AgentConfig> AgentConfig::Parse(std::string_view text, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(text, origin));
  return FromTable(std::move(root));
}

StatusOr<AgentConfig> AgentConfig::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::ParseFile(path));
  AISLE_ASSIGN_OR_RETURN(AgentConfig config, FromTable(std::move(root)));
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  for (std::string* file : {&config.data, &config.enrolment, &config.tables, &config.policy, &config.drop_folder}) {
    *file = (folder / *file).lexically_normal().string();
  }
  if (config.worker.find('/') == std::string::npos) {
    config.worker = BesideUs(config.worker);
  } else {
    config.worker = (folder / config.worker).lexically_normal().string();
  }
  return config;
}

}  // namespace aisle
