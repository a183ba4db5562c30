// Whose privacy a plan would spend here: the populations behind the tables it reads, and in how many stores of the
// chain one of their people can be.
//
//   [customers]
//   population = "customers"          # All tables that have a customer column belong to it …
//   [customers.populations]
//   shifts = "staff"                  # … but those named here.
//
// And one of two, for customers who shop in several stores; without either an epsilon speaks of this store's customers
// as if there were no other store:
//   candidates = ["s001", "s002"]     # The home-store rule (home_store.h).
//   stores_max = 3                    # Nobody is a customer of more stores: every debit is priced for so many.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "plans/plan.h"
#include "privacy/ledger_entry.h"
#include "store-agent/tables/schema.h"

namespace aisle {

// The population of data that holds no person: the store itself. No customer population can be called so.
inline constexpr std::string_view kStorePopulation = "store";
inline constexpr size_t kCandidatesMax = 1000;

struct CustomersPolicy {
  Population population = Population::Parse("customers").value();
  std::map<std::string, Population> populations = {};  // By table, where it isn't `population`.
  std::vector<StoreId> candidates = {};                // In order, each once; empty: no home-store rule.
  uint32_t stores_max = 0;                             // 0: not declared.

  Presence presence() const;
  const Population& PopulationOf(const std::string& table) const;
};

// Each population whose budget a release under `plan` is charged to, in order of name: one account per population, over
// all jobs, modes and units that read its tables.
//   unit customer   the one population of the plan's tables with customers
//   store, none     the store, and every population whose tables it reads: what bounds the store's whole update bounds
//                   each of its customers
// FailedPrecondition for a plan of the unit customer whose tables hold no customers, or those of several populations
// (one vector per customer of one says nothing of the others).
StatusOr<std::vector<Population>> PopulationsOf(const Plan& plan, const Schema& schema, const CustomersPolicy& policy);

}  // namespace aisle
