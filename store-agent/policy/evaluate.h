// Whether a site takes a task: its policy held against a plan. Pure: no clock, no disk; every reason is given at once.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/fleet.h"
#include "plans/plan.h"
#include "store-agent/policy/site_policy.h"
#include "store-agent/tables/schema.h"

namespace aisle {

// What is asked.
struct PlanFacts {
  const Plan& plan;
  Digest digest;                // Of the plan's bundle.
  uint64_t transfer_bytes = 0;  // What is still to be moved for this task, down and up.
};

// What the site knows of itself. What its ledger says of a plan is asked of the ledger.
struct SiteFacts {
  const Schema& schema;
  std::map<std::string, uint64_t> rows = {};  // By table.
  uint64_t bytes_today = 0;                   // Moved since midnight UTC.
};

// Why the site won't: all reasons, in the order of RefusalReason; empty if it will. Details never hold data. That too
// few rows are here is told only where no privacy unit is claimed, as the answer itself would say something about them;
// ask HasRowsFor, and stay silent, otherwise.
std::vector<Refused> Evaluate(const SitePolicy& policy, const PlanFacts& plan, const SiteFacts& site, absl::Time now);

// Every table of the plan has the rows the plan asks for.
bool HasRowsFor(const Plan& plan, const SiteFacts& site);

}  // namespace aisle
