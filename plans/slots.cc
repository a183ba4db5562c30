#include "plans/slots.h"

namespace aisle {

std::vector<MetricNeed> MetricSlotsOf(const Plan& plan) {
  std::vector<MetricNeed> slots = plan.metrics;
  if (plan.privacy.unit() == PrivacyUnit::kCustomer) {
    slots.push_back({.name = std::string(kCustomersSlot), .bound = 1});
    if (plan.validation.last > 0 || plan.validation.fraction > 0) {
      slots.push_back({.name = std::string(kMeasuredSlot), .bound = 1});
    }
    slots.push_back(
        {.name = std::string(kExamplesSlot), .bound = static_cast<double>(plan.privacy.examples_per_customer_max)});
  }
  if (plan.privacy.adaptive_clip) slots.push_back({.name = std::string(kUnclippedSlot), .bound = 0.5});
  return slots;
}

}  // namespace aisle
