#include "coordinator/jobs/publication.h"

#include <algorithm>
#include <span>
#include <vector>

#include "aggregation/mean_update.h"
#include "aggregation/model_average.h"
#include "aggregation/server_optimizer.h"
#include "aggregation/weights.h"
#include "coordinator/jobs/round_metrics.h"
#include "plans/update_vector.h"

namespace aisle {
namespace {

// Moves the trainable tensors of `weights`, which may lie between frozen ones, through one flat vector and back.
template <typename Step>
Status StepTrainable(const Layout& trainable, Weights& weights, Step step) {
  if (trainable.element_count() == weights.values.size()) return step(std::span(weights.values));
  std::vector<float> flat(trainable.element_count());
  const auto each = [&](auto copy) {
    for (size_t i = 0; i < trainable.size(); ++i) {
      const size_t whole = *weights.layout.Find(trainable.specs()[i].name);
      copy(weights.tensor(whole), std::span(flat).subspan(trainable.offset(i), trainable.element_count(i)));
    }
  };
  each([](std::span<float> tensor, std::span<float> part) { std::ranges::copy(tensor, part.begin()); });
  AISLE_RETURN_IF_ERROR(step(std::span(flat)));
  each([](std::span<float> tensor, std::span<float> part) { std::ranges::copy(part, tensor.begin()); });
  return OkStatus();
}

// Frozen tensors never move, so their mean is they themselves.
StatusOr<BlobName> WhatToPublish(const JobPlan& plan, const ModelBefore& before, const Weights& reached,
                                 const BlobName& reached_name, BlobStore& blobs) {
  if (plan.plan.average_rounds == 1 || before.version == 0) return reached_name;
  Weights average;
  {
    AISLE_ASSIGN_OR_RETURN(const std::string bytes, blobs.Read(before.published));
    AISLE_ASSIGN_OR_RETURN(average, DecodeWeights(bytes));
  }
  AISLE_RETURN_IF_ERROR(MoveAverage(average.values, reached.values, before.version + 1, plan.plan.average_rounds));
  return blobs.Put(EncodeWeights(average));
}

bool KeepsState(ServerOptimizerKind kind) { return kind != ServerOptimizerKind::kFedAvg; }

}  // namespace

StatusOr<NextModel> MakeNextModel(const JobPlan& plan, const ModelBefore& before, const ModularSum& sum,
                                  uint32_t stores, BlobStore& blobs) {
  const Plan in_force = WithClipNorm(plan.plan, before.clip_norm);
  const PrivacyContract& contract = in_force.privacy;
  AISLE_ASSIGN_OR_RETURN(const UpdateShape shape, UpdateShapeOf(in_force, plan.layout));
  AISLE_ASSIGN_OR_RETURN(const Quantizer quantizer, QuantizerOf(in_force, shape));
  Weights weights;
  {
    AISLE_ASSIGN_OR_RETURN(const std::string bytes, blobs.Read(before.weights));
    AISLE_ASSIGN_OR_RETURN(weights, DecodeWeights(bytes));
  }
  if (!(weights.layout == plan.layout)) {
    return InvalidArgument("the model before has another layout than the plan's initial weights");
  }
  AISLE_ASSIGN_OR_RETURN(ServerOptimizer optimizer,
                         ServerOptimizer::Make(plan.plan.server, plan.trainable.element_count()));
  if (before.optimizer_state) {
    AISLE_ASSIGN_OR_RETURN(const std::string state, blobs.Read(*before.optimizer_state));
    AISLE_RETURN_IF_ERROR(optimizer.RestoreState(state));
  }
  {
    AISLE_ASSIGN_OR_RETURN(const MeanUpdate mean, MeanOf(sum, quantizer, shape, contract.divisor()));
    AISLE_RETURN_IF_ERROR(StepTrainable(plan.trainable, weights,
                                        [&](std::span<float> flat) { return optimizer.Step(flat, mean.parameters); }));
  }
  NextModel next;
  AISLE_ASSIGN_OR_RETURN(next.metrics, MetricsOf(in_force, sum, quantizer, shape, stores));
  next.clip_norm = NextClipNorm(contract, next.metrics);
  if (KeepsState(plan.plan.server.kind)) {
    AISLE_ASSIGN_OR_RETURN(next.optimizer_state, blobs.Put(optimizer.EncodeState()));
  }
  AISLE_ASSIGN_OR_RETURN(next.weights, blobs.Put(EncodeWeights(weights)));
  AISLE_ASSIGN_OR_RETURN(next.published, WhatToPublish(plan, before, weights, next.weights, blobs));
  return next;
}

}  // namespace aisle
