#include "aggregation/mean_update.h"

namespace aisle {
namespace {

Status CheckShapes(const ModularSum& sum, const Quantizer& quantizer, const UpdateShape& shape, double divisor) {
  if (sum.length() != quantizer.length() || sum.length() != shape.length()) {
    return InvalidArgument("a sum of {} coordinates, a quantizer of {} and an update of {} don't belong together",
                           sum.length(), quantizer.length(), shape.length());
  }
  if (!(divisor > 0)) return InvalidArgument("the divisor of a mean is {}; it must be over 0", divisor);
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<double>> MeanMetrics(const ModularSum& sum, const Quantizer& quantizer, const UpdateShape& shape,
                                          double divisor) {
  AISLE_RETURN_IF_ERROR(CheckShapes(sum, quantizer, shape, divisor));
  std::vector<double> metrics(shape.metric_count());
  for (size_t j = 0; j < metrics.size(); ++j) {
    const double slot = quantizer.ToFloat(sum.Centered(shape.parameter_count() + j)) / divisor;
    metrics[j] = shape.MetricValue(j, slot);
  }
  return metrics;
}

StatusOr<MeanUpdate> MeanOf(const ModularSum& sum, const Quantizer& quantizer, const UpdateShape& shape,
                            double divisor) {
  MeanUpdate mean;
  AISLE_ASSIGN_OR_RETURN(mean.metrics, MeanMetrics(sum, quantizer, shape, divisor));
  mean.parameters.resize(shape.parameter_count());
  for (size_t i = 0; i < mean.parameters.size(); ++i) {
    mean.parameters[i] = static_cast<float>(quantizer.ToFloat(sum.Centered(i)) / divisor);
  }
  return mean;
}

}  // namespace aisle
