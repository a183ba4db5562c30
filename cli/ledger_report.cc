#include "cli/ledger_report.h"

#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "privacy/accounting/pld.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

// Of the bounded debits later than `since`.
std::optional<double> TightEpsilon(const Ledger& ledger, const Population& population, Tier tier, absl::Time since,
                                   double delta) {
  PldAccountant accountant;
  for (const LedgerEntry& entry : ledger.entries()) {
    const Debit& debit = entry.debit;
    if (debit.population != population || debit.unit == PrivacyUnit::kNone || entry.at <= since) continue;
    const Charge charge = ChargeOf(debit, tier);
    const SampledGaussian mechanism{.sampling_rate = charge.sampling_rate, .noise_multiplier = charge.noise_multiplier};
    if (!accountant.Add(mechanism, static_cast<uint64_t>(charge.times)).ok()) return std::nullopt;
  }
  const StatusOr<double> epsilon = accountant.Epsilon(delta);
  return epsilon.ok() ? std::optional(*epsilon) : std::nullopt;
}

// Both bound the same loss, so the smaller is a bound too; where little is spent the Renyi one can be exactly 0.
TierReport TierOf(const Ledger& ledger, const Population& population, Tier tier, double renyi, absl::Time since,
                  double delta) {
  std::optional<double> tight = TightEpsilon(ledger, population, tier, since, delta);
  if (tight) tight = std::min(*tight, renyi);
  return {.renyi = renyi, .tight = tight};
}

PeriodReport PeriodOf(const Ledger& ledger, const Population& population, double delta, absl::Time since) {
  const Spending spending = ledger.SpendingOf(population, delta, since);
  return {.floor = TierOf(ledger, population, Tier::kFloor, spending.floor_epsilon, since, delta),
          .aggregate = TierOf(ledger, population, Tier::kAggregate, spending.aggregate_epsilon, since, delta)};
}

std::set<std::string> PresencesOf(const Ledger& ledger, const Population& population) {
  std::set<std::string> presences;
  for (const LedgerEntry& entry : ledger.entries()) {
    const Debit& debit = entry.debit;
    if (debit.population != population || population.str() == kStorePopulation) continue;
    std::string presence(ToString(debit.presence));
    if (debit.presence == Presence::kStoresMax) presence += fmt::format(" {}", debit.stores_max);
    presences.insert(std::move(presence));
  }
  return presences;
}

Json NumberOrNull(std::optional<double> number) { return number && std::isfinite(*number) ? Json(*number) : Json(); }

Json PeriodJson(const PeriodReport& period) {
  return {{"floor_epsilon", NumberOrNull(period.floor.renyi)},
          {"floor_epsilon_tight", NumberOrNull(period.floor.tight)},
          {"aggregate_epsilon", NumberOrNull(period.aggregate.renyi)},
          {"aggregate_epsilon_tight", NumberOrNull(period.aggregate.tight)}};
}

}  // namespace

std::vector<PopulationReport> ReportOf(const Ledger& ledger, double delta, absl::Time now) {
  std::vector<PopulationReport> reports;
  for (const Population& population : ledger.populations()) {
    const Spending spending = ledger.SpendingOf(population, delta);
    reports.push_back({.population = population,
                       .unit = population.str() == kStorePopulation ? "store" : "customer",
                       .releases = spending.releases,
                       .unbounded_releases = spending.unbounded_releases,
                       .year = PeriodOf(ledger, population, delta, now - kSpendingYear),
                       .ever = PeriodOf(ledger, population, delta, absl::InfinitePast()),
                       .presences = PresencesOf(ledger, population)});
  }
  return reports;
}

Json ToJson(const PopulationReport& report) {
  return {{"population", report.population.str()}, {"unit", report.unit},
          {"releases", report.releases},           {"unbounded_releases", report.unbounded_releases},
          {"year", PeriodJson(report.year)},       {"ever", PeriodJson(report.ever)},
          {"presence", report.presences}};
}

Json ToJson(const LedgerEntry& entry) {
  const Debit& debit = entry.debit;
  return {{"number", entry.number},
          {"at", FormatUtc(entry.at)},
          {"population", debit.population.str()},
          {"round", ToString(debit.round)},
          {"plan_sha256", debit.plan.Hex()},
          {"unit", ToString(debit.unit)},
          {"noise_multiplier", debit.noise_multiplier},
          {"sampling_rate", debit.sampling_rate},
          {"releases", debit.releases},
          {"delta", debit.delta},
          {"sum_stores", debit.sum_stores},
          {"presence", ToString(debit.presence)},
          {"stores_max", debit.stores_max},
          {"sha256", entry.digest.Hex()}};
}

Json CapsJson(const SpendingCaps& caps) {
  return {{"floor_epsilon_per_year", caps.floor_per_year},
          {"aggregate_epsilon_per_year", caps.aggregate_per_year},
          {"epsilon_max", caps.floor_ever},
          {"delta", caps.delta}};
}

Json CustomersJson(const CustomersPolicy& customers) {
  Json populations = Json::object();
  for (const auto& [table, population] : customers.populations) populations[table] = population.str();
  Json candidates = Json::array();
  for (const StoreId& store : customers.candidates) candidates.push_back(store.str());
  return {{"population", customers.population.str()},
          {"populations", std::move(populations)},
          {"presence", ToString(customers.presence())},
          {"candidates", std::move(candidates)},
          {"stores_max", customers.stores_max}};
}

std::string PresenceText(const std::set<std::string>& presences) {
  std::vector<std::string> texts;
  for (const std::string& presence : presences) {
    if (presence == "home_store") {
      texts.emplace_back("used by one store each (home-store rule)");
    } else if (presence == "this_store") {
      texts.emplace_back("not accounted for");
    } else {
      texts.push_back(fmt::format("paid for in up to {} stores", presence.substr(presence.find(' ') + 1)));
    }
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace aisle::cli
