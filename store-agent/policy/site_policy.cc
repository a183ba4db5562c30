#include "store-agent/policy/site_policy.h"

#include "base/config.h"
#include "base/ids.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr std::string_view kAll = "*";

std::set<std::string> SetOf(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

void ReadPlans(ConfigTable table, SitePolicy& policy) {
  std::vector<std::string> names(policy.plan_names.begin(), policy.plan_names.end());
  std::vector<std::string> digests;
  table.Read("digests", digests);
  if (table.Has("digests") && !table.Has("names")) names.clear();  // Exact versions only.
  table.Read("names", names);
  policy.plan_names = SetOf(names);
  for (const std::string& text : digests) {
    const StatusOr<Digest> digest = Digest::FromHex(text);
    if (digest.ok()) policy.plan_digests.insert(*digest);
    if (!digest.ok()) table.Refuse("digests", fmt::format("\"{}\" isn't 64 hexadecimal digits", text));
  }
}

void ReadTables(ConfigTable tables, SitePolicy& policy) {
  for (const std::string& name : tables.Keys()) {
    if (const Status valid = CheckName("table name", name); !valid.ok()) tables.Refuse(name, MessageOf(valid));
    ConfigTable table = tables.Child(name);
    std::vector<std::string> columns = {std::string(kAll)};
    table.Read("columns", columns);
    policy.tables.emplace(name, SetOf(columns));
  }
}

void ReadHours(ConfigTable table, SitePolicy& policy) {
  std::vector<std::string> texts;
  std::string zone_name;
  table.Read("training", texts);
  table.Read("time_zone", zone_name);
  std::vector<HourWindow> windows;
  for (const std::string& text : texts) {
    const StatusOr<HourWindow> window = ParseHourWindow(text);
    if (window.ok()) windows.push_back(*window);
    if (!window.ok()) table.Refuse("training", MessageOf(window.status()));
  }
  absl::TimeZone zone = absl::LocalTimeZone();
  if (!zone_name.empty() && !absl::LoadTimeZone(zone_name, &zone)) {
    table.Refuse("time_zone",
                 fmt::format("this machine knows no time zone \"{}\"; is Debian's tzdata installed?", zone_name));
  }
  policy.hours = Hours(std::move(windows), zone);
}

void ReadLimits(ConfigTable table, SitePolicy& policy) {
  constexpr uint32_t kThreadsMax = 64;
  table.ReadByteCount("memory", policy.memory_max);
  table.ReadDuration("cpu_time", policy.cpu_time_max);
  table.ReadDuration("wall_time", policy.wall_time_max);
  table.Read("threads", policy.threads);
  table.ReadByteCount("bytes_per_day", policy.bytes_per_day);
  if (policy.threads < 1 || policy.threads > kThreadsMax) {
    table.Refuse("threads", fmt::format("is {}; it must be 1 to {}", policy.threads, kThreadsMax));
  }
}

void ReadPrivacy(ConfigTable table, SitePolicy& policy) {
  std::vector<std::string> units;
  table.Read("units", units);
  if (table.Has("units")) policy.units.clear();
  for (const std::string& text : units) {
    const StatusOr<PrivacyUnit> unit = ParsePrivacyUnit(text);
    if (unit.ok()) policy.units.insert(*unit);
    if (!unit.ok()) table.Refuse("units", MessageOf(unit.status()));
  }
  table.Read("epsilon_max", policy.epsilon_max);
  table.Read("delta", policy.delta);
  if (!(policy.epsilon_max >= 0 && policy.epsilon_max <= 1e6)) {
    table.Refuse("epsilon_max", fmt::format("is {}; it must be 0 to 1e6", policy.epsilon_max));
  }
  if (!(policy.delta >= 1e-12 && policy.delta <= 0.01)) {
    table.Refuse("delta", fmt::format("is {}; it must be 1e-12 to 0.01", policy.delta));
  }
}

}  // namespace

StatusOr<SitePolicy> SitePolicy::Parse(std::string_view toml, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(toml, origin));
  SitePolicy policy;
  ReadPlans(root.Child("plans"), policy);
  ReadTables(root.Child("tables"), policy);
  ReadHours(root.Child("hours"), policy);
  ReadLimits(root.Child("limits"), policy);
  ReadPrivacy(root.Child("privacy"), policy);
  AISLE_RETURN_IF_ERROR(root.Finish());
  return policy;
}

StatusOr<SitePolicy> SitePolicy::ParseFile(const std::string& path) {
  StatusOr<std::string> text = ReadFile(path, ConfigTable::kFileSizeMax);
  if (text.status().code() == StatusCode::kNotFound) return SitePolicy();
  AISLE_RETURN_IF_ERROR(text.status());
  return Parse(*text, path);
}

bool SitePolicy::AllowsPlan(std::string_view name, const Digest& digest) const {
  return plan_names.contains(std::string(kAll)) || plan_names.contains(std::string(name)) ||
         plan_digests.contains(digest);
}

bool SitePolicy::AllowsColumn(std::string_view table, std::string_view column) const {
  if (tables.empty()) return true;
  const auto listed = tables.find(std::string(table));
  if (listed == tables.end()) return false;
  return listed->second.contains(std::string(kAll)) || listed->second.contains(std::string(column));
}

}  // namespace aisle
