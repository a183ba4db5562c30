#include "privacy/contract.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace aisle {
namespace {

// Collects every mistake, so that a plan's author sees them all at once.
class Mistakes {
 public:
  void AddUnless(bool fine, std::string_view name, double value, std::string_view range) {
    if (fine) return;
    text_ += fmt::format("{}{} is {}; it must be {}", text_.empty() ? "" : "; ", name, value, range);
  }
  Status status() const {
    if (text_.empty()) return OkStatus();
    return InvalidArgument("the privacy contract: {}", text_);
  }

 private:
  std::string text_;
};

bool IsIn(double value, double min, double max) { return value >= min && value <= max; }  // False for NaN.

void CheckEveryMode(const PrivacyContract& contract, Mistakes& mistakes) {
  const bool none = contract.mode == PrivacyMode::kNone;
  const double z = contract.noise_multiplier;
  mistakes.AddUnless(IsIn(contract.clip_norm, 1e-6, 1e6), "clip_norm", contract.clip_norm, "from 1e-6 to 1e6");
  mistakes.AddUnless(!none || z == 0, "noise_multiplier", z, "0 for the mode none, which promises nothing");
  mistakes.AddUnless(none || IsIn(z, 0.001, 256), "noise_multiplier", z, "from 0.001 to 256");
  mistakes.AddUnless(none || IsIn(contract.delta, 1e-12, 0.01), "delta", contract.delta, "from 1e-12 to 0.01");
  mistakes.AddUnless(IsIn(contract.rounds_max, 1, 1e6), "rounds_max", contract.rounds_max, "from 1 to 1000000");
  mistakes.AddUnless(IsIn(contract.cohort_target, 1, 1e6), "cohort_target", contract.cohort_target,
                     "from 1 to 1000000");
  mistakes.AddUnless(IsIn(contract.cohort_min, 1, contract.cohort_target), "cohort_min", contract.cohort_min,
                     fmt::format("from 1 to the cohort target of {}", contract.cohort_target));
  mistakes.AddUnless(IsIn(contract.metric_share, 0, 0.9), "metric_share", contract.metric_share, "from 0 to 0.9");
}

void CheckCustomers(const PrivacyContract& contract, Mistakes& mistakes) {
  const double q = contract.sampling_rate;
  mistakes.AddUnless(q > 0 && q <= 1, "sampling_rate", q, "over 0 and at most 1");
  mistakes.AddUnless(IsIn(contract.customers_per_store, 1, 1e8), "customers_per_store", contract.customers_per_store,
                     "from 1 to 100000000");
  mistakes.AddUnless(IsIn(contract.examples_per_customer_max, 1, 1e6), "examples_per_customer_max",
                     contract.examples_per_customer_max, "from 1 to 1000000");
  // With a larger delta, a mechanism that publishes one whole customer now and then would pass.
  const double customers =
      contract.mode == PrivacyMode::kLocalSgd ? contract.customers_per_store : contract.customers_planned();
  mistakes.AddUnless(!(contract.delta * customers > 1), "delta", contract.delta,
                     fmt::format("at most 1 / {} customers = {:.3g}", customers, 1 / customers));
  const bool local = contract.mode == PrivacyMode::kLocalSgd;
  mistakes.AddUnless(local ? IsIn(contract.steps, 1, 1e5) : contract.steps == 1, "steps", contract.steps,
                     local ? "from 1 to 100000" : "1 unless the mode is local-sgd");
  mistakes.AddUnless(!local || IsIn(contract.update_norm_max, 1e-6, 1e6), "update_norm_max", contract.update_norm_max,
                     "from 1e-6 to 1e6");
}

void CheckAdaptiveClip(const PrivacyContract& contract, Mistakes& mistakes) {
  const AdaptiveClip& adaptive = *contract.adaptive_clip;
  mistakes.AddUnless(contract.mode == PrivacyMode::kStore || contract.mode == PrivacyMode::kCustomer,
                     "adaptive_clip.quantile", adaptive.quantile, "left out but in the modes store and customer");
  mistakes.AddUnless(IsIn(adaptive.quantile, 0.01, 0.99), "adaptive_clip.quantile", adaptive.quantile,
                     "from 0.01 to 0.99");
  mistakes.AddUnless(adaptive.learning_rate > 0 && adaptive.learning_rate <= 1, "adaptive_clip.learning_rate",
                     adaptive.learning_rate, "over 0 and at most 1");
}

void CheckSecureSum(const PrivacyContract& contract, Mistakes& mistakes) {
  mistakes.AddUnless(contract.cohort_min >= 3, "cohort_min", contract.cohort_min,
                     "at least 3: in a secure sum over two stores each knows what the other gave");
  mistakes.AddUnless(contract.corrupt_permille <= 300, "corrupt_permille", contract.corrupt_permille, "at most 300");
  mistakes.AddUnless(contract.dropout_permille <= 300, "dropout_permille", contract.dropout_permille, "at most 300");
}

}  // namespace

std::string_view ToString(PrivacyUnit unit) {
  switch (unit) {
    case PrivacyUnit::kNone:
      return "none";
    case PrivacyUnit::kStore:
      return "store";
    case PrivacyUnit::kCustomer:
      return "customer";
  }
  AISLE_CHECK(false, "no privacy unit {}", static_cast<int>(unit));
  return {};
}

StatusOr<PrivacyUnit> ParsePrivacyUnit(std::string_view text) {
  for (const PrivacyUnit unit : {PrivacyUnit::kNone, PrivacyUnit::kStore, PrivacyUnit::kCustomer}) {
    if (text == ToString(unit)) return unit;
  }
  return InvalidArgument("no privacy unit is called \"{}\"; use customer, store or none", text.substr(0, 64));
}

std::string_view ToString(PrivacyMode mode) {
  switch (mode) {
    case PrivacyMode::kNone:
      return "none";
    case PrivacyMode::kStore:
      return "store";
    case PrivacyMode::kCustomer:
      return "customer";
    case PrivacyMode::kLocalSgd:
      return "local-sgd";
  }
  AISLE_CHECK(false, "no privacy mode {}", static_cast<int>(mode));
  return {};
}

StatusOr<PrivacyMode> ParsePrivacyMode(std::string_view text) {
  for (const PrivacyMode mode :
       {PrivacyMode::kNone, PrivacyMode::kStore, PrivacyMode::kCustomer, PrivacyMode::kLocalSgd}) {
    if (text == ToString(mode)) return mode;
  }
  return InvalidArgument("no privacy mode is called \"{}\"; use customer, local-sgd, store or none",
                         text.substr(0, 64));
}

PrivacyUnit PrivacyContract::unit() const {
  switch (mode) {
    case PrivacyMode::kNone:
      return PrivacyUnit::kNone;
    case PrivacyMode::kStore:
      return PrivacyUnit::kStore;
    case PrivacyMode::kCustomer:
    case PrivacyMode::kLocalSgd:
      return PrivacyUnit::kCustomer;
  }
  AISLE_CHECK(false, "no privacy mode {}", static_cast<int>(mode));
  return {};
}

double PrivacyContract::divisor() const {
  return mode == PrivacyMode::kCustomer ? sampling_rate * customers_planned() : cohort_target;
}

uint32_t PrivacyContract::honest_stores_min() const {
  if (!secure_sum || mode == PrivacyMode::kLocalSgd) return 1;
  const uint64_t corrupt = std::max<uint64_t>(1, (uint64_t{cohort_min} * corrupt_permille + 999) / 1000);
  return cohort_min - static_cast<uint32_t>(std::min<uint64_t>(corrupt, cohort_min - 1));
}

Status Validate(const PrivacyContract& contract) {
  Mistakes mistakes;
  CheckEveryMode(contract, mistakes);
  if (contract.secure_sum) CheckSecureSum(contract, mistakes);
  if (contract.unit() == PrivacyUnit::kCustomer) {
    CheckCustomers(contract, mistakes);
  } else {
    mistakes.AddUnless(contract.sampling_rate == 1, "sampling_rate", contract.sampling_rate,
                       "1 unless the unit is the customer");
  }
  if (contract.adaptive_clip) CheckAdaptiveClip(contract, mistakes);
  return mistakes.status();
}

}  // namespace aisle
