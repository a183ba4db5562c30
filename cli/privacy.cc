// aisle privacy epsilon: the accountant, without a plan.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/text.h"
#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/rdp.h"

namespace aisle::cli {
namespace {

struct EpsilonOptions {
  double noise_multiplier = 0;
  double delta = 1e-6;
  double sampling_rate = 1;
  uint32_t rounds = 1;
};

Status ShowEpsilon(Context& context, const EpsilonOptions& options) {
  if (!(options.delta > 0 && options.delta < 1))
    return InvalidArgument("--delta {} is outside of (0, 1)", options.delta);
  AISLE_ASSIGN_OR_RETURN(const RdpCurve curve,
                         RdpCurve::SampledGaussian(options.sampling_rate, options.noise_multiplier));
  const EpsilonBound bound = EpsilonOf(curve * options.rounds, options.delta);
  double exact = 0;
  if (options.sampling_rate == 1) {
    AISLE_ASSIGN_OR_RETURN(exact, GaussianEpsilon(options.noise_multiplier / std::sqrt(options.rounds), options.delta));
  }
  if (context.options.json) {
    nlohmann::ordered_json json = {
        {"noise_multiplier", options.noise_multiplier}, {"rounds", options.rounds},     {"delta", options.delta},
        {"sampling_rate", options.sampling_rate},       {"epsilon_rdp", bound.epsilon}, {"rdp_order", bound.alpha}};
    if (options.sampling_rate == 1) json["epsilon_exact"] = exact;
    context.out.Json(json);
    return OkStatus();
  }
  context.out.Print(
      Facts()
          .Add("epsilon", fmt::format("{} at delta {}", NumberText(bound.epsilon), NumberText(options.delta)))
          .AddIf(options.sampling_rate == 1, "epsilon, exact Gaussian", NumberText(exact))
          .Add("mechanism", fmt::format("{} releases, noise multiplier {}, sampling rate {}", options.rounds,
                                        NumberText(options.noise_multiplier), NumberText(options.sampling_rate)))
          .Add("Renyi order", NumberText(bound.alpha)));
  return OkStatus();
}

}  // namespace

void AddPrivacyCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("privacy", "Ask the privacy accountant");
  group->require_subcommand(1);
  CLI::App* command =
      group->add_subcommand("epsilon", "The epsilon of so many rounds of the (sampled) Gaussian mechanism");
  command->footer(
      "By Renyi accounting (Mironov et al. 2019; conversion of Canonne et al. 2020); without sampling also the exact "
      "figure\n"
      "of the Gaussian (Balle and Wang 2018).\n\n"
      "  aisle privacy epsilon --noise-multiplier 1.1 --rounds 100 --delta 1e-6 --sampling-rate 0.01\n");
  EpsilonOptions& options = OnRun(*command, context, ShowEpsilon);
  command->add_option("--noise-multiplier", options.noise_multiplier, "Noise std per unit of sensitivity, over 0")
      ->type_name("Z")
      ->required();
  command->add_option("--rounds", options.rounds, "How many releases")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--delta", options.delta, "In (0, 1)")->type_name("D")->capture_default_str();
  command
      ->add_option("--sampling-rate", options.sampling_rate,
                   "Chance that a unit takes part in a round: secret, in (0, 1]")
      ->type_name("Q")
      ->capture_default_str();
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
