#include "privacy/contract.h"

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

Status Validate(const PrivacyContract& contract) {
  Mistakes mistakes;
  const bool none = contract.unit == PrivacyUnit::kNone;
  const double z = contract.noise_multiplier;
  mistakes.AddUnless(IsIn(contract.clip_norm, 1e-6, 1e6), "clip_norm", contract.clip_norm, "from 1e-6 to 1e6");
  mistakes.AddUnless(!none || z == 0, "noise_multiplier", z, "0 for the unit none, which promises nothing");
  mistakes.AddUnless(none || IsIn(z, 0.001, 256), "noise_multiplier", z, "from 0.001 to 256");
  mistakes.AddUnless(none || IsIn(contract.delta, 1e-12, 0.01), "delta", contract.delta, "from 1e-12 to 0.01");
  mistakes.AddUnless(IsIn(contract.rounds_max, 1, 1e6), "rounds_max", contract.rounds_max, "from 1 to 1000000");
  mistakes.AddUnless(IsIn(contract.cohort_target, 1, 1e6), "cohort_target", contract.cohort_target,
                     "from 1 to 1000000");
  mistakes.AddUnless(IsIn(contract.cohort_min, 1, contract.cohort_target), "cohort_min", contract.cohort_min,
                     fmt::format("from 1 to the cohort target of {}", contract.cohort_target));
  mistakes.AddUnless(IsIn(contract.metric_share, 0, 0.9), "metric_share", contract.metric_share, "from 0 to 0.9");
  return mistakes.status();
}

Status CheckSupported(PrivacyUnit unit) {
  if (unit != PrivacyUnit::kCustomer) return OkStatus();
  return Unimplemented("the privacy unit customer arrives with the next release; until then use the unit store");
}

}  // namespace aisle
