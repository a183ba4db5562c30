#include "coordinator/program/config.h"

#include <filesystem>

#include "base/config.h"
#include "base/identity/root_set.h"

namespace aisle {
namespace {

void ReadPace(ConfigTable table, PacePolicy& pace) {
  uint64_t waiting_max = pace.waiting_max;
  table.Read("check_ins_per_second", pace.check_ins_per_second);
  table.ReadDuration("hold_max", pace.hold_max);
  table.ReadDuration("come_back_min", pace.come_back_min);
  table.ReadDuration("come_back_max", pace.come_back_max);
  table.Read("waiting_max", waiting_max);
  pace.waiting_max = waiting_max;
  if (!(pace.check_ins_per_second > 0)) table.Refuse("check_ins_per_second", "must be above 0");
  if (pace.hold_max > kCheckInWaitMax) table.Refuse("hold_max", "is above the limit of 60s");
  if (pace.come_back_min > pace.come_back_max) table.Refuse("come_back_min", "is above come_back_max");
}

void ReadEnrolment(ConfigTable table, EnrolmentPolicy& policy) {
  table.ReadDuration("code_lifetime", policy.code_lifetime);
  table.ReadDuration("certificate_lifetime", policy.certificate_lifetime);
  table.ReadDuration("repeat_window", policy.repeat_window);
  table.ReadDuration("late_renewal", policy.late_renewal);
  if (policy.certificate_lifetime < absl::Minutes(5)) table.Refuse("certificate_lifetime", "is below the limit of 5m");
  if (policy.certificate_lifetime >= kRootOverlap) {
    table.Refuse("certificate_lifetime", "must be below 14d, the time in which stores hear of a new root");
  }
}

void ReadRounds(ConfigTable table, CoordinatorPolicy& policy) {
  uint64_t jobs_max = policy.jobs_max;
  table.ReadDuration("presence_window", policy.presence_window);
  table.ReadDuration("turn_wait", policy.turn_wait);
  table.ReadDuration("restart_grace", policy.restart_grace);
  table.ReadDuration("reopen_min", policy.reopen_min);
  table.ReadDuration("reopen_max", policy.reopen_max);
  table.Read("aborts_in_a_row_max", policy.aborts_in_a_row_max);
  table.Read("jobs_max", jobs_max);
  policy.jobs_max = jobs_max;
  if (policy.aborts_in_a_row_max < 1) table.Refuse("aborts_in_a_row_max", "must be at least 1");
}

StatusOr<CoordinatorConfig> FromTable(ConfigTable root) {
  CoordinatorConfig config;
  root.Read("listen", config.listen);
  root.Read("metrics_listen", config.metrics_listen);
  root.Read("data", config.data);
  root.Read("identity", config.identity);
  root.Read("plan_keys", config.plan_keys);
  root.Read("log_level", config.log_level);
  ReadPace(root.Child("pace"), config.policy.pace);
  ReadEnrolment(root.Child("enrolment"), config.policy.enrolment);
  ReadRounds(root.Child("rounds"), config.policy);
  AISLE_RETURN_IF_ERROR(root.Finish());
  return config;
}

}  // namespace

StatusOr<CoordinatorConfig> CoordinatorConfig::Parse(std::string_view text, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(text, origin));
  return FromTable(std::move(root));
}

StatusOr<CoordinatorConfig> CoordinatorConfig::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::ParseFile(path));
  AISLE_ASSIGN_OR_RETURN(CoordinatorConfig config, FromTable(std::move(root)));
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const auto resolve = [&](std::string& file) { file = (folder / file).lexically_normal().string(); };
  resolve(config.data);
  resolve(config.identity);
  for (std::string& key : config.plan_keys) resolve(key);
  return config;
}

}  // namespace aisle
