#include "store-agent/agent/declined_plans.h"

#include <algorithm>

namespace aisle::agent {

bool IsLasting(RefusalReason reason) {
  return reason != RefusalReason::kOutsideHours && reason != RefusalReason::kByteBudget;
}

void DeclinedPlans::Add(const Digest& plan) {
  if (std::ranges::find(plans_, plan) != plans_.end()) return;
  if (plans_.size() == kDeclinedPlansMax) plans_.pop_front();
  plans_.push_back(plan);
}

}  // namespace aisle::agent
