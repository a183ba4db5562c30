// aisle privacy: ask the accountants, with a plan (price) or without.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/text.h"
#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/rdp.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

struct MechanismOptions {
  double sampling_rate = 1;
  uint64_t steps = 1;
  double delta = 1e-6;
  std::string accountant;
};

struct EpsilonOptions {
  MechanismOptions mechanism;
  double noise_multiplier = 0;
};

struct CalibrateOptions {
  MechanismOptions mechanism;
  double epsilon = 0;
};

// The one asked for, or all that know the mechanism: the tightest first.
StatusOr<std::vector<Accountant>> AccountantsOf(const MechanismOptions& options) {
  if (!options.accountant.empty()) {
    AISLE_ASSIGN_OR_RETURN(const Accountant accountant, ParseAccountant(options.accountant));
    return std::vector{accountant};
  }
  if (options.sampling_rate == 1) return std::vector{Accountant::kExact, Accountant::kPld, Accountant::kRdp};
  return std::vector{Accountant::kPld, Accountant::kRdp};
}

std::string NameOf(Accountant accountant) {
  switch (accountant) {
    case Accountant::kRdp:
      return "by Renyi accounting, as ledgers count";
    case Accountant::kPld:
      return "by privacy loss distributions";
    case Accountant::kExact:
      break;
  }
  return "exact Gaussian";
}

Json MechanismJson(const MechanismOptions& options) {
  return {{"sampling_rate", options.sampling_rate}, {"steps", options.steps}, {"delta", options.delta}};
}

Status ShowEpsilon(Context& context, const EpsilonOptions& options) {
  const MechanismOptions& mechanism = options.mechanism;
  const Releases releases{options.noise_multiplier, mechanism.sampling_rate, mechanism.steps};
  AISLE_ASSIGN_OR_RETURN(const std::vector<Accountant> accountants, AccountantsOf(mechanism));
  Json json = {{"noise_multiplier", options.noise_multiplier}};
  json.update(MechanismJson(mechanism));
  Facts facts;
  for (const Accountant accountant : accountants) {
    AISLE_ASSIGN_OR_RETURN(const double epsilon, EpsilonOf(releases, mechanism.delta, accountant));
    if (accountant == accountants.front()) {
      json["accountant"] = ToString(accountant);
      json["epsilon"] = epsilon;
      facts.Add("epsilon", fmt::format("{} at delta {}", NumberText(epsilon), NumberText(mechanism.delta)));
    }
    json[fmt::format("epsilon_{}", ToString(accountant))] = epsilon;
    facts.Add("  " + NameOf(accountant), NumberText(epsilon));
  }
  facts.Add("mechanism", fmt::format("{} releases, noise multiplier {}, sampling rate {}", CountText(mechanism.steps),
                                     NumberText(options.noise_multiplier), NumberText(mechanism.sampling_rate)));
  if (context.options.json) {
    context.out.Json(json);
  } else {
    context.out.Print(facts);
  }
  return OkStatus();
}

Status ShowNoise(Context& context, const CalibrateOptions& options) {
  const MechanismOptions& mechanism = options.mechanism;
  const NoiseTarget target{options.epsilon, mechanism.delta, mechanism.sampling_rate, mechanism.steps};
  AISLE_ASSIGN_OR_RETURN(const std::vector<Accountant> accountants, AccountantsOf(mechanism));
  Json json = {{"epsilon", options.epsilon}};
  json.update(MechanismJson(mechanism));
  Facts facts;
  for (const Accountant accountant : accountants) {
    AISLE_ASSIGN_OR_RETURN(const double noise, CalibrateNoise(target, accountant));
    if (accountant == accountants.front()) {
      json["accountant"] = ToString(accountant);
      json["noise_multiplier"] = noise;
      facts.Add("noise multiplier", fmt::format("{:.4f}", noise));
    }
    json[fmt::format("noise_multiplier_{}", ToString(accountant))] = noise;
    facts.Add("  " + NameOf(accountant), fmt::format("{:.4f}", noise));
  }
  facts.Add("target",
            fmt::format("epsilon {} at delta {} after {} releases, sampling rate {}", NumberText(options.epsilon),
                        NumberText(mechanism.delta), CountText(mechanism.steps), NumberText(mechanism.sampling_rate)));
  if (context.options.json) {
    context.out.Json(json);
  } else {
    context.out.Print(facts);
  }
  return OkStatus();
}

void AddMechanismOptions(CLI::App& command, Context& context, MechanismOptions& options) {
  command
      .add_option("--q,--sampling-rate", options.sampling_rate,
                  "Chance that a unit takes part in a release: secret, in (0, 1]")
      ->type_name("Q")
      ->capture_default_str();
  command.add_option("--steps,--rounds", options.steps, "How many releases")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--delta", options.delta, "In (0, 1)")->type_name("D")->capture_default_str();
  command
      .add_option("--accountant", options.accountant,
                  "rdp, pld or exact (only without sampling) [all that apply; the tightest is the answer]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"rdp", "pld", "exact"}));
  AddJsonFlag(command, context);
}

void AddEpsilonCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("epsilon", "The epsilon of so many releases of the (sampled) Gaussian mechanism");
  command->footer(
      "Neighbours differ by adding or removing one unit. rdp: Renyi accounting (Mironov et al. 2019), what ledgers "
      "count\n"
      "and proven for the discrete noise that is drawn. pld: privacy loss distributions (Doroshenko et al. 2022), "
      "tight.\n"
      "exact: the Gaussian in closed form (Balle and Wang 2018). None is ever under the truth.\n\n"
      "  aisle privacy epsilon --q 0.01 --sigma 1.1 --steps 1000 --delta 1e-6\n"
      "  aisle privacy epsilon --sigma 20 --steps 52 --delta 1e-7 --accountant exact --json\n");
  EpsilonOptions& options = OnRun(*command, context, ShowEpsilon);
  command
      ->add_option("--sigma,--noise-multiplier", options.noise_multiplier, "Noise std per unit of sensitivity, over 0")
      ->type_name("Z")
      ->required();
  AddMechanismOptions(*command, context, options.mechanism);
}

void AddCalibrateCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("calibrate", "The least noise that keeps so many releases within an epsilon");
  command->footer(
      "A plan runs to its end under a site's cap only with the noise that Renyi accounting asks for: that is what the\n"
      "ledger counts. The tighter figure is what may be claimed of it.\n\n"
      "  aisle privacy calibrate --epsilon 2 --delta 1e-6 --q 0.01 --steps 1000\n"
      "  aisle privacy calibrate --epsilon 4 --delta 1e-7 --steps 52 --accountant rdp --json\n");
  CalibrateOptions& options = OnRun(*command, context, ShowNoise);
  command->add_option("--epsilon", options.epsilon, "The target, over 0")->type_name("E")->required();
  AddMechanismOptions(*command, context, options.mechanism);
}

}  // namespace

void AddPrivacyCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("privacy", "Ask the privacy accountants");
  group->require_subcommand(1);
  AddPriceCommand(*group, context);
  AddEpsilonCommand(*group, context);
  AddCalibrateCommand(*group, context);
}

}  // namespace aisle::cli
