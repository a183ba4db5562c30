#include "store-agent/policy/customers.h"

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

namespace aisle {

Presence CustomersPolicy::presence() const {
  if (!candidates.empty()) return Presence::kHomeStore;
  return stores_max > 0 ? Presence::kStoresMax : Presence::kThisStore;
}

const Population& CustomersPolicy::PopulationOf(const std::string& table) const {
  const auto found = populations.find(table);
  return found == populations.end() ? population : found->second;
}

StatusOr<std::vector<Population>> PopulationsOf(const Plan& plan, const Schema& schema, const CustomersPolicy& policy) {
  std::set<Population> people;
  for (const TableNeed& need : plan.tables) {
    const auto kept = std::ranges::find(
        schema.tables, need.name, [](const TableSchema& table) -> const std::string& { return table.name.str(); });
    if (kept != schema.tables.end() && kept->customer) people.insert(policy.PopulationOf(need.name));
  }
  if (plan.privacy.unit() != PrivacyUnit::kCustomer) people.insert(Population::Parse(kStorePopulation).value());
  if (people.empty()) {
    return FailedPrecondition("the plan's unit is the customer, and none of its tables has a customer column here");
  }
  if (plan.privacy.unit() == PrivacyUnit::kCustomer && people.size() > 1) {
    return FailedPrecondition("the plan's unit is the customer, and its tables hold several populations here: {}",
                              fmt::join(people, ", "));
  }
  return std::vector<Population>(people.begin(), people.end());
}

}  // namespace aisle
