#include "cli/price.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/storage/files.h"
#include "cli/plan_file.h"
#include "cli/plan_tasks.h"
#include "cli/table.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

StatusOr<FleetPrice> PriceOfFleet(const PrivacyContract& contract, uint32_t rounds, uint32_t stores) {
  AISLE_ASSIGN_OR_RETURN(const Price price, PriceOf(PriceQueryOf(contract, rounds, stores)));
  return FleetPrice{.stores = stores, .price = price, .noise = NoiseOfMean(contract, stores)};
}

bool HasAggregate(const PrivacyContract& contract) { return contract.mode != PrivacyMode::kLocalSgd; }

Json FleetJson(const PrivacyContract& contract, const FleetPrice& fleet) {
  Json json = {{"stores", fleet.stores},
               {"floor_epsilon", fleet.price.floor_epsilon},
               {"ledger_epsilon", fleet.price.ledger_epsilon}};
  json["aggregate_epsilon"] = fleet.price.aggregate_epsilon;
  json["aggregate_ledger_epsilon"] = fleet.price.aggregate_ledger_epsilon;
  json["noise"] = fleet.noise;
  json["noise_over_clip"] = fleet.noise / contract.clip_norm;
  return json;
}

std::string SamplingText(const PrivacyContract& contract) {
  std::string text;
  if (contract.unit() == PrivacyUnit::kCustomer) {
    text += fmt::format(", sampling rate {}", NumberText(contract.sampling_rate));
  }
  if (contract.mode == PrivacyMode::kLocalSgd) text += fmt::format(", {} steps a round", contract.steps);
  return text;
}

Table FleetTable(const PlanPrice& price) {
  Table table({{"stores per round", Align::kRight},
               {"floor", Align::kRight},
               {"in the ledger", Align::kRight},
               {"aggregate", Align::kRight},
               {"in the ledger", Align::kRight},
               {"noise", Align::kRight},
               {"noise / clip", Align::kRight}});
  for (const FleetPrice& fleet : price.fleets) {
    const bool tiers = HasAggregate(price.contract);
    table.Row({CountText(fleet.stores), NumberText(fleet.price.floor_epsilon), NumberText(fleet.price.ledger_epsilon),
               tiers ? NumberText(fleet.price.aggregate_epsilon) : "-",
               tiers ? NumberText(fleet.price.aggregate_ledger_epsilon) : "-", NumberText(fleet.noise),
               NumberText(fleet.noise / price.contract.clip_norm)});
  }
  return table;
}

std::string Legend(const PrivacyContract& contract) {
  const bool tiers = HasAggregate(contract);
  std::string text = "\nfloor          even if headquarters and all other stores work together\n";
  text +=
      tiers ? "aggregate      towards those who see only sums over that many honest stores\n"
            : "aggregate      none: each store's noise is inside its own training, and the floor is the whole claim\n";
  text += "in the ledger  the same as the store's ledger counts it: proven for the discrete noise, a little higher\n";
  text +=
      tiers ? "noise          std in each coordinate of a round's mean, were that the plan's cohort, in its own units\n"
            : "noise          std in each coordinate of a local step's mean gradient, in its own units\n";
  return text;
}

std::string SmallestText(const PlanPrice& price) {
  if (!HasAggregate(price.contract)) {
    return fmt::format("\nThe smallest cohort is {} stores.\n", CountText(price.smallest.stores));
  }
  const std::string smallest =
      fmt::format("\nThe smallest cohort is {} stores: fewer are never summed, and so few give an aggregate of {}.\n",
                  CountText(price.smallest.stores), NumberText(price.smallest.price.aggregate_epsilon));
  const PrivacyContract& contract = price.contract;
  if (!contract.secure_sum) {
    return smallest +
           "The secure sum is off: headquarters sees each store's vector, so ledgers are charged the floor in both "
           "tiers,\nand aggregate holds only towards those who see no more than the model.\n";
  }
  return smallest +
         fmt::format(
             "The secure sum is on: headquarters sees sums only. With at most {}% of a cohort colluding with "
             "it, the noise of {} honest\nstores is in each, so ledgers are charged an aggregate of {}.\n",
             NumberText(contract.corrupt_permille / 10.0), CountText(contract.honest_stores_min()),
             NumberText(price.in_ledgers.aggregate_ledger_epsilon));
}

}  // namespace

StatusOr<PlanPrice> PriceOfPlan(const Plan& plan, uint32_t rounds, const std::vector<uint32_t>& stores) {
  const PrivacyContract& contract = plan.privacy;
  if (rounds > contract.rounds_max) {
    return InvalidArgument("--rounds {} is over the {} rounds of the plan's privacy contract (privacy.rounds_max)",
                           rounds, contract.rounds_max);
  }
  PlanPrice priced{.plan = plan.name, .contract = contract, .rounds = rounds == 0 ? contract.rounds_max : rounds};
  if (contract.unit() == PrivacyUnit::kNone) return priced;
  for (const uint32_t count : stores) {
    AISLE_ASSIGN_OR_RETURN(const FleetPrice fleet, PriceOfFleet(contract, priced.rounds, count));
    priced.fleets.push_back(fleet);
  }
  AISLE_ASSIGN_OR_RETURN(priced.smallest, PriceOfFleet(contract, priced.rounds, contract.cohort_min));
  AISLE_ASSIGN_OR_RETURN(priced.in_ledgers,
                         PriceOf(PriceQueryOf(contract, priced.rounds, contract.honest_stores_min())));
  return priced;
}

std::string ModeText(const PrivacyContract& contract) {
  return fmt::format("mode {}, unit {}", ToString(contract.mode), ToString(contract.unit()));
}

std::string PriceText(const PlanPrice& price) {
  const PrivacyContract& contract = price.contract;
  if (contract.unit() == PrivacyUnit::kNone) {
    return fmt::format("{} promises nothing (privacy mode none): no epsilon holds for it\n", price.plan);
  }
  return fmt::format("{}: {}; {} rounds, noise multiplier {}{}\nEvery epsilon is per {}, at delta {}.\n\n", price.plan,
                     ModeText(contract), price.rounds, NumberText(contract.noise_multiplier), SamplingText(contract),
                     ToString(contract.unit()), NumberText(contract.delta)) +
         FleetTable(price).Render() + Legend(contract) + SmallestText(price);
}

std::string PriceLine(const PlanPrice& price) {
  const PrivacyContract& contract = price.contract;
  if (contract.unit() == PrivacyUnit::kNone) return "promises nothing (privacy mode none)";
  const FleetPrice& fleet = price.fleets.front();
  std::string aggregate;
  if (HasAggregate(contract)) {
    aggregate = fmt::format(", {} towards those who see only sums over {} stores",
                            NumberText(fleet.price.aggregate_epsilon), CountText(fleet.stores));
  }
  return fmt::format("{}; after {} rounds epsilon {} per {} at delta {} (floor){}", ModeText(contract), price.rounds,
                     NumberText(fleet.price.floor_epsilon), ToString(contract.unit()), NumberText(contract.delta),
                     aggregate);
}

Json PriceJson(const PlanPrice& price) {
  const PrivacyContract& contract = price.contract;
  Json prices = Json::array();
  for (const FleetPrice& fleet : price.fleets) prices.push_back(FleetJson(contract, fleet));
  Json json = {{"plan", price.plan},
               {"mode", ToString(contract.mode)},
               {"unit", ToString(contract.unit())},
               {"delta", contract.delta},
               {"noise_multiplier", contract.noise_multiplier},
               {"sampling_rate", contract.sampling_rate},
               {"steps", contract.steps},
               {"clip_norm", contract.clip_norm},
               {"rounds", price.rounds},
               {"has_aggregate", contract.unit() != PrivacyUnit::kNone && HasAggregate(contract)},
               {"secure_sum", contract.secure_sum},
               {"honest_stores_min", contract.honest_stores_min()},
               {"prices", std::move(prices)}};
  json["aggregate_in_ledgers"] = price.fleets.empty() ? Json(nullptr) : Json(price.in_ledgers.aggregate_ledger_epsilon);
  json["smallest_cohort"] = price.fleets.empty() ? Json(nullptr) : FleetJson(contract, price.smallest);
  return json;
}

StatusOr<Plan> ReadPlan(const std::string& path) {
  if (!IsPlanFolder(path)) {
    AISLE_ASSIGN_OR_RETURN(const PlanFile file, PlanFile::Load(path));
    return file.bundle.plan();
  }
  std::error_code ignored;
  const std::filesystem::path given(path);
  const std::string toml = (std::filesystem::is_directory(given, ignored) ? given / "plan.toml" : given).string();
  AISLE_ASSIGN_OR_RETURN(const std::string text, ReadFile(toml, kPlanTomlSizeMax));
  return Plan::Parse(text, toml);
}

}  // namespace aisle::cli
