#include "plans/update_vector.h"

namespace aisle {

StatusOr<UpdateShape> UpdateShapeOf(const Plan& plan, const Layout& weights) {
  AISLE_ASSIGN_OR_RETURN(const Layout trainable, plan.TrainableLayout(weights));
  UpdateShapeOptions options{.parameter_count = trainable.element_count(),
                             .clip_norm = plan.privacy.clip_norm,
                             .metric_share = plan.privacy.metric_share};
  for (const MetricNeed& metric : plan.metrics) options.metric_bounds.push_back(metric.bound);
  return UpdateShape::Make(std::move(options));
}

StatusOr<Quantizer> QuantizerOf(const Plan& plan, const UpdateShape& shape) {
  return Quantizer::Make({.clip_norm = plan.privacy.clip_norm,
                          .length = shape.length(),
                          .addends_max = plan.privacy.cohort_target,
                          .noise_multiplier = plan.privacy.noise_multiplier});
}

}  // namespace aisle
