#include "coordinator/jobs/round_metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aggregation/mean_update.h"
#include "plans/slots.h"

namespace aisle {
namespace {

constexpr double kShareMin = 0.05;  // Of the planned customers: below, a quotient would be mostly noise.

// From means over the planned customers to means over those who were there.
void PerCustomer(const Plan& plan, std::map<std::string, double>& named) {
  const double share = named[std::string(kCustomersSlot)];
  const auto measured = named.find(std::string(kMeasuredSlot));
  const double share_measured = measured == named.end() ? share : measured->second;
  const auto divide = [](double& value, double by) { value /= by >= kShareMin ? by : 1; };
  for (const MetricNeed& metric : plan.metrics) divide(named[metric.name], share_measured);
  divide(named[std::string(kExamplesSlot)], share);
  if (measured != named.end()) divide(measured->second, share);
  if (plan.privacy.adaptive_clip) divide(named[std::string(kUnclippedSlot)], share);
  named[std::string(kCustomersSlot)] = share * plan.privacy.customers_planned();
}

}  // namespace

StatusOr<std::map<std::string, double>> MetricsOf(const Plan& plan, const ModularSum& sum, const Quantizer& quantizer,
                                                  const UpdateShape& shape, uint32_t stores) {
  std::map<std::string, double> named;
  const std::vector<MetricNeed> slots = MetricSlotsOf(plan);
  if (slots.empty()) return named;
  const bool sums_customers = plan.privacy.mode == PrivacyMode::kCustomer;
  const double divisor = sums_customers ? plan.privacy.divisor() : stores;
  AISLE_ASSIGN_OR_RETURN(const std::vector<double> means, MeanMetrics(sum, quantizer, shape, divisor));
  for (size_t i = 0; i < means.size(); ++i) named[slots[i].name] = means[i];
  if (sums_customers) PerCustomer(plan, named);
  if (const auto unclipped = named.find(std::string(kUnclippedSlot)); unclipped != named.end())
    unclipped->second += 0.5;
  return named;
}

double NextClipNorm(const PrivacyContract& contract, const std::map<std::string, double>& metrics) {
  const auto unclipped = metrics.find(std::string(kUnclippedSlot));
  if (!contract.adaptive_clip || unclipped == metrics.end()) return 0;
  const double share = std::clamp(unclipped->second, 0.0, 1.0);
  const double factor = std::exp(-contract.adaptive_clip->learning_rate * (share - contract.adaptive_clip->quantile));
  return std::clamp(contract.clip_norm * factor, 1e-6, 1e6);
}

}  // namespace aisle
