// aisle plan price: what a plan costs in privacy, before anybody runs it.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/plan_tasks.h"
#include "cli/text.h"
#include "privacy/accounting/price.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

struct PriceOptions {
  std::string file;
  std::vector<uint32_t> stores;
  uint32_t rounds = 0;
};

struct Priced {
  uint32_t stores = 0;
  Price price;
};

StatusOr<std::vector<Priced>> PriceAll(const PrivacyContract& contract, uint32_t rounds, std::vector<uint32_t> stores) {
  if (stores.empty()) stores = {contract.cohort_target, 200, 2000, 20000};
  std::vector<Priced> all;
  for (const uint32_t count : stores) {
    AISLE_ASSIGN_OR_RETURN(const Price price, PriceOf({.noise_multiplier = contract.noise_multiplier,
                                                       .rounds = rounds,
                                                       .delta = contract.delta,
                                                       .stores = count}));
    all.push_back({count, price});
  }
  return all;
}

Json PriceJson(const Plan& plan, uint32_t rounds, const std::vector<Priced>& all) {
  Json prices = Json::array();
  for (const Priced& priced : all) {
    prices.push_back({{"stores", priced.stores},
                      {"ledger_epsilon", priced.price.ledger_epsilon},
                      {"floor_epsilon", priced.price.floor_epsilon},
                      {"aggregate_epsilon", priced.price.aggregate_epsilon}});
  }
  return {{"plan", plan.name},
          {"unit", ToString(plan.privacy.unit())},
          {"delta", plan.privacy.delta},
          {"noise_multiplier", plan.privacy.noise_multiplier},
          {"rounds", rounds},
          {"prices", std::move(prices)}};
}

void PrintPrices(Output& out, const Plan& plan, uint32_t rounds, const std::vector<Priced>& all) {
  out.Text(fmt::format("{}: {} rounds, noise multiplier {}; every epsilon is per {}, at delta {}\n\n", plan.name,
                       rounds, NumberText(plan.privacy.noise_multiplier), ToString(plan.privacy.unit()),
                       NumberText(plan.privacy.delta)));
  Table table({{"stores per round", Align::kRight},
               {"epsilon, ledger", Align::kRight},
               {"epsilon, floor", Align::kRight},
               {"epsilon, aggregate", Align::kRight}});
  for (const Priced& priced : all) {
    table.Row({CountText(priced.stores), NumberText(priced.price.ledger_epsilon),
               NumberText(priced.price.floor_epsilon), NumberText(priced.price.aggregate_epsilon)});
  }
  out.Print(table);
  out.Text(
      "\nledger     what each store's ledger will show: a proven bound for the noise that is drawn\n"
      "floor      even if headquarters and all other stores work together\n"
      "aggregate  towards those who see only sums over that many honest stores\n");
}

Status PricePlan(Context& context, const PriceOptions& options) {
  LocalWorker worker(WorkerProgram(""));
  AISLE_ASSIGN_OR_RETURN(const PlanFile file, LoadOrBuildPlan(options.file, nullptr, worker));
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  const uint32_t rounds = options.rounds == 0 ? plan.privacy.rounds_max : options.rounds;
  if (rounds > plan.privacy.rounds_max) {
    return InvalidArgument("--rounds {} is over the {} rounds of the plan's privacy contract", rounds,
                           plan.privacy.rounds_max);
  }
  if (plan.privacy.unit() == PrivacyUnit::kNone) {
    if (context.options.json) {
      context.out.Json(PriceJson(plan, rounds, {}));
    } else {
      context.out.Text(fmt::format("{} promises nothing (privacy unit none): no epsilon holds for it\n", plan.name));
    }
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(const std::vector<Priced> all, PriceAll(plan.privacy, rounds, options.stores));
  if (context.options.json) {
    context.out.Json(PriceJson(plan, rounds, all));
  } else {
    PrintPrices(context.out, plan, rounds, all);
  }
  return OkStatus();
}

}  // namespace

void AddPlanPriceCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("price", "What a plan costs in privacy: epsilon after its rounds, for several fleets");
  command->footer("  aisle plan price demand.plan --rounds 30 --stores 12 --stores 200 --stores 20000\n");
  PriceOptions& options = OnRun(*command, context, PricePlan);
  command->add_option("PLAN", options.file, "The plan file, or the plan's folder")->type_name("FILE")->required();
  command
      ->add_option("--stores", options.stores,
                   "Honest stores in each round's sum; may be given again [the cohort, 200, 2000, 20000]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--rounds", options.rounds, "Rounds a store takes part in [all that the plan allows]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
