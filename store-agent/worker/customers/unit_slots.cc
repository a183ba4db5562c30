#include "store-agent/worker/customers/unit_slots.h"

#include <algorithm>
#include <cmath>

#include "store-agent/worker/evaluation.h"
#include "store-agent/worker/tensor_allowance.h"

namespace aisle {

UnitSlots::UnitSlots(Program& program, const Examples& examples, const Units& units, const Plan& plan,
                     const UpdateShape& shape, const std::atomic<bool>* stop, const CustomerWatch* watch)
    : program_(program),
      examples_(examples),
      units_(units),
      plan_(plan),
      shape_(shape),
      stop_(stop),
      watch_(watch),
      slots_(MetricSlotsOf(plan)) {}

std::vector<double> UnitSlots::Measure(size_t unit) const {
  const std::span<const int64_t> measured = units_.measured(unit);
  if (plan_.metrics.empty() || measured.empty()) return {};
  if (watch_ != nullptr) watch_->BeforeUnits(units_, {&unit, 1});
  const TensorAllowance allowance(plan_.limits.OneCustomersMemory());
  const StatusOr<MetricSums> sums = SumMetrics(program_, examples_, {measured.begin(), measured.end()}, stop_);
  program_.SetTraining(true);
  if (!sums.ok()) return {};
  const StatusOr<std::vector<double>> means = MetricMeans(*sums, plan_);
  return means.ok() && std::ranges::all_of(*means, [](double mean) { return std::isfinite(mean); })
             ? *means
             : std::vector<double>();
}

StatusOr<std::vector<double>> UnitSlots::Of(size_t unit, double norm) const {
  std::vector<double> values = Measure(unit);
  const bool measured = plan_.metrics.empty() ? !units_.measured(unit).empty() : !values.empty();
  values.resize(plan_.metrics.size());
  for (size_t i = values.size(); i < slots_.size(); ++i) {
    const std::string& name = slots_[i].name;
    if (name == kCustomersSlot) values.push_back(1);
    if (name == kMeasuredSlot) values.push_back(measured ? 1 : 0);
    if (name == kExamplesSlot) values.push_back(static_cast<double>(units_.examples(unit).size()));
    if (name == kUnclippedSlot) values.push_back(norm <= shape_.parameter_clip() ? 0.5 : -0.5);
  }
  return values;
}

}  // namespace aisle
