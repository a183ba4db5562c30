#include "store-agent/worker/evaluation.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>

#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {

namespace {

constexpr size_t kBatchSize = 4096;
constexpr size_t kMetricsOfProgramMax = 256;
constexpr const char* kCount = "count";

Status AddMetric(const std::string& name, const at::Tensor& value, MetricSums& sums) {
  if (value.numel() != 1) {
    return PlanError("metrics returned \"{}\" of shape [{}]; a single number is expected", name,
                     fmt::join(value.sizes().vec(), ", "));
  }
  double number = 0;
  AISLE_RETURN_IF_ERROR(Guarded(kMetrics, [&] { number = value.item<double>(); }));
  if (!std::isfinite(number)) return PlanError("metrics returned \"{}\" = {}; a finite sum is expected", name, number);
  sums[name] += number;
  if (sums.size() > kMetricsOfProgramMax) {
    return PlanError("metrics returned more than {} numbers", kMetricsOfProgramMax);
  }
  return OkStatus();
}

}  // namespace

StatusOr<MetricSums> SumMetrics(Program& program, const Examples& examples, const std::vector<int64_t>& indices,
                                const std::atomic<bool>* stop) {
  const at::NoGradGuard no_grad;
  program.SetTraining(false);
  MetricSums sums;
  for (size_t at = 0; at < indices.size(); at += kBatchSize) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return Cancelled("the evaluation was stopped");
    c10::IValue batch;
    c10::IValue result;
    examples.Gather(std::span(indices).subspan(at, std::min(kBatchSize, indices.size() - at)), batch);
    AISLE_RETURN_IF_ERROR(program.Call(kMetrics, batch, result));
    for (const auto& entry : result.toGenericDict()) {
      AISLE_RETURN_IF_ERROR(AddMetric(entry.key().toStringRef(), entry.value().toTensor(), sums));
    }
  }
  if (!indices.empty() && !sums.contains(kCount)) {
    return PlanError("metrics returned no \"{}\": the number that the sums are divided by", kCount);
  }
  return sums;
}

StatusOr<std::vector<double>> MetricMeans(const MetricSums& sums, const Plan& plan) {
  const auto count = sums.find(kCount);
  std::vector<double> means;
  for (const MetricNeed& metric : plan.metrics) {
    const auto found = sums.find(metric.name);
    if (found == sums.end() && !sums.empty()) {
      return PlanError("metrics returned no \"{}\", which plan.toml names under [metrics]", metric.name);
    }
    const bool empty = found == sums.end() || count == sums.end() || count->second == 0;
    means.push_back(empty ? 0 : found->second / count->second);
  }
  return means;
}

}  // namespace aisle
