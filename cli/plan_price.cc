// aisle privacy price, and aisle plan price: what a plan costs in privacy, before anybody runs it.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/price.h"

namespace aisle::cli {
namespace {

struct PriceOptions {
  std::string file;
  std::vector<uint32_t> stores;
  uint32_t rounds = 0;
};

Status ShowPrice(Context& context, const PriceOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const Plan plan, ReadPlan(options.file));
  std::vector<uint32_t> stores = options.stores;
  if (stores.empty()) stores = {plan.privacy.cohort_target, 200, 2000, 20000};
  AISLE_ASSIGN_OR_RETURN(const PlanPrice price, PriceOfPlan(plan, options.rounds, stores));
  if (context.options.json) {
    context.out.Json(PriceJson(price));
  } else {
    context.out.Text(PriceText(price));
  }
  return OkStatus();
}

}  // namespace

void AddPriceCommand(CLI::App& group, Context& context) {
  CLI::App* command = group.add_subcommand(
      "price", "What a plan costs in privacy: epsilon by tier, and noise, after its rounds and for several fleets");
  const std::string name = group.get_name();
  command->footer(
      fmt::format("Two figures for each tier: the tight one (exact without sampling, by privacy loss distributions "
                  "with it) and the\n"
                  "ledger's, by Renyi accounting.\n\n"
                  "  aisle {0} price plans/offers/plan.toml --stores 200 --rounds 30\n"
                  "  aisle {0} price demand.plan --stores 12 --stores 200 --stores 20000 --json\n",
                  name));
  PriceOptions& options = OnRun(*command, context, ShowPrice);
  command->add_option("PLAN", options.file, "The plan file, or the plan's folder or plan.toml")
      ->type_name("FILE")
      ->required();
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
