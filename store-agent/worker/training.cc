#include "store-agent/worker/training.h"

#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"
#include "store-agent/worker/optimizer.h"

namespace aisle {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr uint32_t kCheckpointKind = 0x31544c43;  // "CLT1": local training, first form.

double SecondsSince(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

// `loss` of a batch as one float per example.
StatusOr<at::Tensor> PerExampleLoss(Program& program, const c10::IValue& batch, int64_t examples) {
  c10::IValue result;
  AISLE_RETURN_IF_ERROR(program.Call(kLoss, batch, result));
  const at::Tensor loss = result.toTensor();
  if (loss.dim() != 1 || loss.size(0) != examples || !loss.is_floating_point()) {
    return PlanError("loss returned {} [{}] for a batch of {} examples; one float per example is expected",
                     c10::toString(loss.scalar_type()), fmt::join(loss.sizes().vec(), ", "), examples);
  }
  return loss;
}

// At most `limit` of `indices`, evenly spread.
std::vector<int64_t> Sample(const std::vector<int64_t>& indices, size_t limit) {
  if (indices.size() <= limit) return indices;
  std::vector<int64_t> sample(limit);
  for (size_t i = 0; i < limit; ++i) sample[i] = indices[i * indices.size() / limit];
  return sample;
}

// Fisher and Yates, with exact uniform draws.
void Shuffle(std::vector<int64_t>& indices, RandomSource& random) {
  for (size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random.Below(i)]);
}

class Trainer {
 public:
  Trainer(Program& program, const Examples& examples, const LocalTraining& schedule, const TrainingHooks& hooks)
      : program_(program),
        examples_(examples),
        schedule_(schedule),
        hooks_(hooks),
        optimizer_(MakeOptimizer(schedule)),
        own_writes_(program.own_writes()) {}

  // Once, before the first pass: the steps that the checkpoint says were done are passed over.
  Status GoOn(std::string_view checkpoint) {
    if (checkpoint.empty()) return OkStatus();
    CheckpointReader in(checkpoint);
    if (in.U32() != kCheckpointKind) return DataLoss("the checkpoint isn't one of local training");
    done_ = in.U32();
    const std::vector<float> values = in.Floats();
    if (values.size() != program_.trainable_count()) {
      return DataLoss("the checkpoint has {} parameters, the plan {}", values.size(), program_.trainable_count());
    }
    AISLE_RETURN_IF_ERROR(optimizer_->Load(in, values.size()));
    const std::string randomness = in.Bytes();
    AISLE_RETURN_IF_ERROR(in.Finish());
    if (!values.empty()) std::memcpy(program_.flat().data_ptr<float>(), values.data(), values.size() * sizeof(float));
    return SetEngineRandomness(randomness);
  }

  // All epochs of one pass; `steps_total` is for progress only.
  Status Run(RandomSource& random, uint32_t steps_total, TrainingReport& report) {
    std::vector<int64_t> order = examples_.training();
    uint32_t steps_of_pass = 0;
    for (uint32_t epoch = 0; epoch < schedule_.epochs; ++epoch) {
      Shuffle(order, random);
      for (size_t at = 0; at < order.size() && steps_of_pass < schedule_.steps_max; at += schedule_.batch_size) {
        const size_t count = std::min<size_t>(schedule_.batch_size, order.size() - at);
        ++steps_of_pass;
        if (report.steps < done_) {
          ++report.steps;
          continue;
        }
        if (IsStopped()) return Stop(report.steps);
        AISLE_ASSIGN_OR_RETURN(const double loss, Step(std::span(order).subspan(at, count)));
        if (report.steps++ == done_) report.seconds_first_batch = SecondsSince(began_);
        if (hooks_.checkpoints != nullptr && hooks_.checkpoints->Due()) Keep(report.steps);
        if (hooks_.on_step) hooks_.on_step(report.steps, steps_total, loss);
      }
    }
    return OkStatus();
  }

 private:
  bool IsStopped() const { return hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed); }

  // Whoever stops a task may want to go on with it.
  Status Stop(uint32_t steps) {
    if (hooks_.checkpoints != nullptr && hooks_.checkpoints->wanted() && steps > done_) Keep(steps);
    return Cancelled("training was stopped");
  }

  void Keep(uint32_t steps) {
    // A program that writes into its own tensors remembers more than is written down here.
    if (program_.own_writes() != own_writes_) return hooks_.checkpoints->Disable();
    hooks_.checkpoints->Keep([&](CheckpointWriter& out) {
      const at::Tensor& flat = program_.flat();
      out.U32(kCheckpointKind).U32(steps);
      out.Floats({flat.data_ptr<float>(), static_cast<size_t>(flat.numel())});
      optimizer_->Save(out);
      out.Bytes(EngineRandomness());
    });
  }

  StatusOr<double> Step(std::span<const int64_t> indices) {
    c10::IValue batch;
    examples_.Gather(indices, batch);
    AISLE_ASSIGN_OR_RETURN(const at::Tensor losses,
                           PerExampleLoss(program_, batch, static_cast<int64_t>(indices.size())));
    if (!losses.requires_grad()) return PlanError("loss doesn't depend on any parameter that trains");
    double loss = 0;
    AISLE_RETURN_IF_ERROR(Guarded("differentiating loss", [&] {
      program_.flat_gradient().zero_();
      const at::Tensor mean = losses.mean();
      mean.backward();
      const at::NoGradGuard no_grad;
      optimizer_->Step(program_.flat(), program_.flat_gradient());
      loss = mean.item<double>();
    }));
    if (!std::isfinite(loss)) return PlanError("loss became {} in training; try a smaller learning_rate", loss);
    return loss;
  }

  Program& program_;
  const Examples& examples_;
  const LocalTraining& schedule_;
  const TrainingHooks& hooks_;
  std::unique_ptr<Optimizer> optimizer_;
  const int64_t own_writes_;
  uint32_t done_ = 0;  // Steps, before this run.
  SteadyClock::time_point began_ = SteadyClock::now();
};

uint32_t StepsOfPass(const LocalTraining& schedule, size_t examples) {
  const uint64_t per_epoch = (examples + schedule.batch_size - 1) / schedule.batch_size;
  return static_cast<uint32_t>(std::min<uint64_t>(per_epoch * schedule.epochs, schedule.steps_max));
}

}  // namespace

StatusOr<double> MeanLoss(Program& program, const Examples& examples, const std::vector<int64_t>& indices) {
  const at::NoGradGuard no_grad;
  program.SetTraining(false);
  double sum = 0;
  constexpr size_t kBatch = 1024;
  for (size_t at = 0; at < indices.size(); at += kBatch) {
    const auto piece = std::span(indices).subspan(at, std::min(kBatch, indices.size() - at));
    c10::IValue batch;
    examples.Gather(piece, batch);
    AISLE_ASSIGN_OR_RETURN(const at::Tensor losses, PerExampleLoss(program, batch, static_cast<int64_t>(piece.size())));
    sum += losses.sum(at::kDouble).item<double>();
  }
  return indices.empty() ? 0.0 : sum / static_cast<double>(indices.size());
}

StatusOr<TrainingReport> TrainLocally(Program& program, const Examples& examples, const LocalTraining& schedule,
                                      uint32_t passes, RandomSource& random, const TrainingHooks& hooks) {
  if (examples.training().empty()) {
    return PlanError("all {} examples are held out for validation; none is left to train on", examples.size());
  }
  TrainingReport report;
  const std::vector<int64_t> sample = Sample(examples.training(), kLossSampleMax);
  AISLE_ASSIGN_OR_RETURN(report.loss_before, MeanLoss(program, examples, sample));
  program.SetTraining(true);
  const auto began = SteadyClock::now();
  Trainer trainer(program, examples, schedule, hooks);
  if (hooks.checkpoints != nullptr) AISLE_RETURN_IF_ERROR(trainer.GoOn(hooks.checkpoints->resume()));
  const uint32_t steps_total = StepsOfPass(schedule, examples.training().size()) * passes;
  for (uint32_t pass = 0; pass < passes; ++pass) AISLE_RETURN_IF_ERROR(trainer.Run(random, steps_total, report));
  report.seconds_training = SecondsSince(began);
  AISLE_ASSIGN_OR_RETURN(report.loss_after, MeanLoss(program, examples, sample));
  if (!std::isfinite(report.loss_after)) {
    return PlanError("the loss after training is {}; try a smaller learning_rate", report.loss_after);
  }
  return report;
}

}  // namespace aisle
