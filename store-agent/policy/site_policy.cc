#include "store-agent/policy/site_policy.h"

#include <algorithm>
#include <cmath>

#include "base/config.h"
#include "base/ids.h"
#include "base/secure_sum.h"
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

void ReadCap(ConfigTable& table, std::string_view key, double& cap) {
  table.Read(key, cap);
  if (!(cap >= 0 && cap <= 1e6)) table.Refuse(key, fmt::format("is {}; it must be 0 to 1e6", cap));
}

void ReadSecureSum(ConfigTable& table, SitePolicy& policy) {
  std::string word = policy.secure_sum_required ? "required" : "optional";
  table.Read("secure_sum", word);
  policy.secure_sum_required = word != "optional";
  if (word != "required" && word != "optional") {
    table.Refuse("secure_sum", fmt::format("is \"{}\"; it must be \"required\" or \"optional\"", word));
  }
  table.Read("cohort_min", policy.cohort_min);
  if (policy.cohort_min < 2 || policy.cohort_min > kCohortSizeMax) {
    table.Refuse("cohort_min", fmt::format("is {}; it must be 2 to {}", policy.cohort_min, kCohortSizeMax));
  }
  double share = policy.corrupt_permille_min / 1000.0;
  table.Read("corrupt_share_min", share);
  if (!(share >= 0 && share <= 0.3)) {
    return table.Refuse("corrupt_share_min", fmt::format("is {}; it must be within 0 to 0.3", share));
  }
  policy.corrupt_permille_min = static_cast<uint32_t>(std::ceil(share * 1000 - 1e-6));  // Never less than was asked.
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
  ReadCap(table, "floor_epsilon_per_year", policy.caps.floor_per_year);
  ReadCap(table, "aggregate_epsilon_per_year", policy.caps.aggregate_per_year);
  ReadCap(table, "epsilon_max", policy.caps.floor_ever);
  table.Read("delta", policy.caps.delta);
  if (!(policy.caps.delta >= 1e-12 && policy.caps.delta <= 0.01)) {
    table.Refuse("delta", fmt::format("is {}; it must be 1e-12 to 0.01", policy.caps.delta));
  }
  ReadSecureSum(table, policy);
}

void ReadPopulation(ConfigTable& table, const std::string& key, Population& population) {
  std::string text = population.str();
  table.Read(key, text);
  const StatusOr<Population> parsed = Population::Parse(text);
  if (!parsed.ok()) return table.Refuse(key, MessageOf(parsed.status()));
  if (parsed->str() == kStorePopulation) {
    return table.Refuse(key, "\"store\" is the population of data that holds no person; choose another name");
  }
  population = *parsed;
}

void ReadCandidates(ConfigTable& table, CustomersPolicy& customers) {
  std::vector<std::string> names;
  table.Read("candidates", names);
  for (const std::string& name : names) {
    const StatusOr<StoreId> store = StoreId::Parse(name);
    if (store.ok()) customers.candidates.push_back(*store);
    if (!store.ok()) table.Refuse("candidates", MessageOf(store.status()));
  }
  std::ranges::sort(customers.candidates);
  if (std::ranges::adjacent_find(customers.candidates) != customers.candidates.end()) {
    table.Refuse("candidates", "names a store twice");
  }
  if (table.Has("candidates") && (names.size() < 2 || names.size() > kCandidatesMax)) {
    table.Refuse("candidates", fmt::format("names {} stores; it must name 2 to {}", names.size(), kCandidatesMax));
  }
}

void ReadCustomers(ConfigTable table, CustomersPolicy& customers) {
  ReadPopulation(table, "population", customers.population);
  ConfigTable populations = table.Child("populations");
  for (const std::string& name : populations.Keys()) {
    if (const Status valid = CheckName("table name", name); !valid.ok()) populations.Refuse(name, MessageOf(valid));
    Population population = customers.population;
    ReadPopulation(populations, name, population);
    customers.populations.emplace(name, population);
  }
  ReadCandidates(table, customers);
  table.Read("stores_max", customers.stores_max);
  if (table.Has("stores_max") && (customers.stores_max < 1 || customers.stores_max > kPresentStoresMax)) {
    table.Refuse("stores_max", fmt::format("is {}; it must be 1 to {}", customers.stores_max, kPresentStoresMax));
  }
  if (table.Has("stores_max") && table.Has("candidates")) {
    table.Refuse("stores_max", "and `candidates` are two answers to one question; give one");
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
  ReadCustomers(root.Child("customers"), policy.customers);
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
