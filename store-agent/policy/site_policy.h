// What a site allows: its own limits on plans from headquarters, as site-policy.toml says them.
//
//   [plans]
//   names = ["demand"]                 # Or ["*"], the default: every plan that headquarters signed.
//   digests = ["9f86d0…"]              # Exact versions, allowed beside those named.
//   [tables.sales]                     # If any table is listed, plans may read only those listed.
//   columns = ["week", "price"]        # Or ["*"], the default.
//   [hours]
//   training = ["22:00-06:00"]         # Local time; empty, the default: always.
//   time_zone = "Europe/Berlin"        # Default: the machine's.
//   [limits]
//   memory = "2 GiB"                   # The most a plan may ask for; likewise the times.
//   cpu_time = "30m"
//   wall_time = "1h"
//   threads = 1                        # Of the worker.
//   bytes_per_day = "1 GiB"            # Downloads and uploads together, per UTC day.
//   [privacy]
//   units = ["customer", "store"]      # "none" must be written out.
//   floor_epsilon_per_year = 10.0      # Per population, over all jobs, in any 365 days: privacy/ledger_filter.h.
//   aggregate_epsilon_per_year = 10.0
//   epsilon_max = 50.0                 # The floor, for ever.
//   delta = 1e-6
//   secure_sum = "required"            # Or "optional": plans may let headquarters see this store's noised vector.
//   cohort_min = 2                     # Stores in a secure sum that this one takes part in, if the plan has fewer.
//   corrupt_share_min = 0.0            # Of a cohort's stores: the least that a plan must assume to collude.
//   [customers]                        # Whose budget is spent: customers.h.
//   population = "customers"
//
// A file that is absent or empty gives the defaults.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/status.h"
#include "privacy/contract.h"
#include "privacy/ledger_filter.h"
#include "store-agent/policy/customers.h"
#include "store-agent/policy/hours.h"

namespace aisle {

struct SitePolicy {
  std::set<std::string> plan_names = {"*"};
  std::set<Digest> plan_digests = {};
  // Columns by table; "*" stands for all. Empty: all tables.
  std::map<std::string, std::set<std::string>> tables = {};
  Hours hours = {};
  uint64_t memory_max = uint64_t{2} << 30;
  absl::Duration cpu_time_max = absl::Minutes(30);
  absl::Duration wall_time_max = absl::Hours(1);
  uint32_t threads = 1;
  uint64_t bytes_per_day = uint64_t{1} << 30;
  std::set<PrivacyUnit> units = {PrivacyUnit::kStore, PrivacyUnit::kCustomer};
  bool secure_sum_required = true;
  uint32_t cohort_min = 2;            // In [2, kCohortSizeMax]. The plan's own holds as well.
  uint32_t corrupt_permille_min = 0;  // In [0, 300].
  SpendingCaps caps = {.floor_per_year = 10, .aggregate_per_year = 10, .floor_ever = 50, .delta = 1e-6};
  CustomersPolicy customers = {};

  // InvalidArgument listing every mistake with its line. `origin` names the file in messages.
  static StatusOr<SitePolicy> Parse(std::string_view toml, std::string_view origin = "site-policy.toml");
  // As above; the defaults if there is no such file.
  static StatusOr<SitePolicy> ParseFile(const std::string& path);

  bool AllowsPlan(std::string_view name, const Digest& digest) const;
  bool AllowsColumn(std::string_view table, std::string_view column) const;
};

}  // namespace aisle
