// What a ledger amounts to, population by population: for `aisle ledger show`, and for the statement an auditor gets.
#pragma once

#include <absl/time/time.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "privacy/ledger.h"
#include "store-agent/policy/site_policy.h"

namespace aisle::cli {

// Epsilons by both accountants. `tight` (privacy/accounting/pld.h) is never over `renyi`, which is what the store
// enforces; none where the tight accountant can't take the numbers.
struct TierReport {
  double renyi = 0;
  std::optional<double> tight;
};
struct PeriodReport {
  TierReport floor;
  TierReport aggregate;
};
struct PopulationReport {
  Population population;
  std::string unit;  // "store" or "customer": whom the epsilons protect.
  uint64_t releases = 0;
  uint64_t unbounded_releases = 0;
  PeriodReport year;  // The 365 days to `now`.
  PeriodReport ever;
  std::set<std::string> presences;  // "this_store", "home_store", "stores_max 3": as its debits were priced.
};

std::vector<PopulationReport> ReportOf(const Ledger& ledger, double delta, absl::Time now);

nlohmann::ordered_json ToJson(const PopulationReport& report);
nlohmann::ordered_json ToJson(const LedgerEntry& entry);
nlohmann::ordered_json CapsJson(const SpendingCaps& caps);
nlohmann::ordered_json CustomersJson(const CustomersPolicy& customers);

// "one store uses each customer (home-store rule)", for people.
std::string PresenceText(const std::set<std::string>& presences);

}  // namespace aisle::cli
