#include "plans/update_vector.h"

#include "plans/slots.h"

namespace aisle {

Plan WithClipNorm(Plan plan, double clip_norm) {
  if (plan.privacy.adaptive_clip && clip_norm > 0) plan.privacy.clip_norm = clip_norm;
  return plan;
}

StatusOr<UpdateShape> UpdateShapeOf(const Plan& plan, const Layout& weights) {
  AISLE_ASSIGN_OR_RETURN(const Layout trainable, plan.TrainableLayout(weights));
  UpdateShapeOptions options{.parameter_count = trainable.element_count(),
                             .clip_norm = plan.privacy.vector_norm(),
                             .metric_share = plan.privacy.metric_share};
  for (const MetricNeed& metric : MetricSlotsOf(plan)) options.metric_bounds.push_back(metric.bound);
  return UpdateShape::Make(std::move(options));
}

StatusOr<Quantizer> QuantizerOf(const Plan& plan, const UpdateShape& shape) {
  const PrivacyContract& contract = plan.privacy;
  const bool sums_customers = contract.mode == PrivacyMode::kCustomer;
  const bool noised = contract.mode != PrivacyMode::kLocalSgd;  // There it is in the update already.
  return Quantizer::Make(
      {.clip_norm = contract.vector_norm(),
       .length = shape.length(),
       .addends_max = contract.cohort_target,
       .noise_multiplier = noised ? contract.noise_multiplier : 0,
       .units_expected = sums_customers ? contract.sampling_rate * contract.customers_per_store : 1});
}

}  // namespace aisle
