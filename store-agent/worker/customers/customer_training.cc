#include "store-agent/worker/customers/customer_training.h"

#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "plans/update_vector.h"
#include "privacy/clip.h"
#include "privacy/noise.h"
#include "privacy/unit_sampler.h"
#include "store-agent/worker/customers/unit_slots.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/optimizer.h"

namespace aisle {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

constexpr uint32_t kCheckpointKind = 0x31534343;       // "CCS1": a sum over customers, first form.
constexpr uint32_t kStepsCheckpointKind = 0x31534c43;  // "CLS1": steps of local-sgd, first form.
constexpr size_t kCustomersBetweenCheckpoints = 512;   // Full runs of lanes.

// A sum over the customers of one step, in the making.
struct PartialSum {
  uint64_t next = 0;  // Customers before this one are in it.
  uint64_t examples = 0;
  SecretVector<int64_t> sum;
  SecretVector<int64_t> pending;  // See UnitGradients.
};

PartialSum ReadPartialSum(CheckpointReader& in) {
  PartialSum partial{.next = in.U64(), .examples = in.U64()};
  partial.sum = SecretVector<int64_t>(in.Integers());
  partial.pending = SecretVector<int64_t>(in.Integers());
  return partial;
}

// Counts what was drawn, so that a new one of the same seed can be brought to the same place.
class CountedSource final : public RandomSource {
 public:
  explicit CountedSource(RandomSource& source) : source_(source) {}
  void Fill(std::span<uint8_t> bytes) override {
    source_.Fill(bytes);
    drawn_ += bytes.size();
  }
  uint64_t drawn() const { return drawn_; }
  void PassOver(uint64_t bytes) {
    std::vector<uint8_t, WipingAllocator<uint8_t>> passed(std::min<uint64_t>(bytes, 1 << 20));
    for (; bytes > 0; bytes -= passed.size()) {
      passed.resize(std::min<uint64_t>(bytes, passed.size()));
      Fill(passed);
    }
  }

 private:
  RandomSource& source_;
  uint64_t drawn_ = 0;
};

// One draw of customers, and the sum of their vectors of `factor` * gradient.
class CustomerSum {
 public:
  CustomerSum(Program& program, CustomerExamples& customers, const Plan& plan, const UpdateShape& shape,
              const Quantizer& quantizer, UnitGradients& gradients, const TrainingHooks& hooks, CustomerWatch& watch,
              CustomerReport& report)
      : program_(program),
        customers_(customers),
        plan_(plan),
        shape_(shape),
        sum_(shape, quantizer),
        gradients_(gradients),
        hooks_(hooks),
        watch_(watch),
        report_(report) {}

  // Who takes part in the next step.
  StatusOr<std::vector<size_t>> Draw(RandomSource& coins) {
    AISLE_ASSIGN_OR_RETURN(const UnitSampler sampler, UnitSampler::Make(plan_.privacy.sampling_rate));
    std::vector<size_t> drawn = sampler.Draw(customers_.customers(), coins);
    report_.customers = customers_.customers();
    report_.drawn += drawn.size();
    return drawn;
  }

  // Before the step that it is of.
  void GoOn(PartialSum partial) { partial_ = std::move(partial); }

  // The sum over `drawn`. `remember` writes down what came before this step.
  StatusOr<SecretVector<int32_t>> Of(std::vector<size_t> drawn, double factor, uint32_t step,
                                     const std::function<void(CheckpointWriter&)>& remember) {
    watch_.BeginStep(step);
    std::erase_if(drawn, [&](size_t customer) { return watch_.IsLeftOut(customer); });
    gradients_.Begin(sum_);
    if (partial_) AISLE_RETURN_IF_ERROR(TakeUp(*std::exchange(partial_, {}), drawn));
    for (std::span<const size_t> rest = drawn; !rest.empty();) {
      const std::span<const size_t> part = rest.first(std::min(rest.size(), PartMax()));
      AISLE_ASSIGN_OR_RETURN(const DrawnExamples prepared, customers_.Of(part, hooks_.stop));
      if (prepared.examples) AISLE_RETURN_IF_ERROR(Add(*prepared.examples, prepared.units, factor));
      rest = rest.subspan(prepared.taken);
      if (hooks_.checkpoints != nullptr && hooks_.checkpoints->Due()) {
        hooks_.checkpoints->Keep([&](CheckpointWriter& out) {
          remember(out);
          Write(rest.empty() ? customers_.customers() : rest.front(), out);
        });
      }
    }
    gradients_.Finish(sum_);
    return sum_.Take();
  }

 private:
  // A checkpoint is made where a part ends; sums are exact, so nobody notices where that is.
  size_t PartMax() const {
    const bool wanted = hooks_.checkpoints != nullptr && hooks_.checkpoints->wanted();
    return wanted ? kCustomersBetweenCheckpoints : SIZE_MAX;
  }

  void Write(size_t next, CheckpointWriter& out) const {
    out.U64(next).U64(report_.examples).Integers(sum_.SoFar().Reveal()).Integers(gradients_.Pending().Reveal());
  }

  // Leaves in `drawn` those whose turn it still is.
  Status TakeUp(const PartialSum& partial, std::vector<size_t>& drawn) {
    if (partial.sum.size() != sum_.length() || !gradients_.TakeUp(partial.pending.Reveal())) {
      return DataLoss("the checkpoint's sum isn't one of this plan");
    }
    sum_.TakeUp(partial.sum.Reveal());
    report_.examples = partial.examples;
    std::erase_if(drawn, [&](size_t customer) { return customer < partial.next; });
    return OkStatus();
  }

  Status Add(const Examples& examples, const Units& units, double factor) {
    for (size_t i = 0; i < units.size(); ++i) report_.examples += units.examples(i).size();
    std::vector<size_t> all(units.size());
    std::iota(all.begin(), all.end(), 0);
    program_.SetTraining(true);
    const UnitWork work{.program = program_,
                        .examples = examples,
                        .units = units,
                        .drawn = all,
                        .factor = factor,
                        .stop = hooks_.stop,
                        .watch = &watch_,
                        .memory_max = plan_.limits.OneCustomersMemory()};
    const UnitSlots slots(program_, examples, units, plan_, shape_, hooks_.stop, &watch_);
    const Status added = gradients_.AddSome(
        work, [&](size_t unit, double norm) { return slots.Of(unit, norm); }, sum_);
    watch_.AfterAll();
    return added;
  }

  Program& program_;
  CustomerExamples& customers_;
  const Plan& plan_;
  const UpdateShape& shape_;
  UnitSum sum_;
  UnitGradients& gradients_;
  const TrainingHooks& hooks_;
  CustomerWatch& watch_;
  CustomerReport& report_;
  std::optional<PartialSum> partial_;
};

// The plan as its single steps see it: vectors within C, noised one by one, one store alone.
Plan StepPlan(Plan plan) {
  plan.privacy.mode = PrivacyMode::kCustomer;
  plan.privacy.cohort_target = 1;
  return plan;
}

// Moves the program by one noised sum, and remembers what it said of metrics.
class NoisedSteps {
 public:
  NoisedSteps(Program& program, const Plan& step_plan, const UpdateShape& step_shape, const Quantizer& step_grid)
      : program_(program),
        shape_(step_shape),
        grid_(step_grid),
        divisor_(step_plan.privacy.divisor()),
        optimizer_(MakeOptimizer(step_plan.training)),
        metrics_(step_shape.metric_count()) {}

  Status Apply(std::span<const int64_t> noised) {
    ++steps_;
    for (size_t j = 0; j < metrics_.size(); ++j) {
      const double slot = grid_.ToFloat(noised[shape_.parameter_count() + j]) / divisor_;
      metrics_[j] += shape_.MetricValue(j, slot);
    }
    return Guarded("a step", [&] {
      const at::NoGradGuard no_grad;
      float* gradient = program_.flat_gradient().data_ptr<float>();
      for (size_t i = 0; i < shape_.parameter_count(); ++i) {
        gradient[i] = static_cast<float>(grid_.ToFloat(noised[i]) / divisor_);
      }
      optimizer_->Step(program_.flat(), program_.flat_gradient());
    });
  }

  void Write(CheckpointWriter& out) const {
    const at::Tensor& flat = program_.flat();
    out.Floats({flat.data_ptr<float>(), static_cast<size_t>(flat.numel())}).Doubles(metrics_);
    optimizer_->Save(out);
  }

  // As after `steps` steps.
  Status GoOn(uint32_t steps, CheckpointReader& in) {
    const std::vector<float> values = in.Floats();
    std::vector<double> metrics = in.Doubles();
    if (values.size() != shape_.parameter_count() || metrics.size() != metrics_.size()) {
      return DataLoss("the checkpoint has {} parameters and {} metrics, the plan {} and {}", values.size(),
                      metrics.size(), shape_.parameter_count(), metrics_.size());
    }
    AISLE_RETURN_IF_ERROR(optimizer_->Load(in, values.size()));
    if (!values.empty()) std::memcpy(program_.flat().data_ptr<float>(), values.data(), values.size() * sizeof(float));
    metrics_ = std::move(metrics);
    steps_ = steps;
    return OkStatus();
  }

  std::vector<double> MetricMeans() const {
    std::vector<double> means = metrics_;
    for (double& mean : means) mean /= steps_;
    return means;
  }

 private:
  Program& program_;
  const UpdateShape& shape_;
  const Quantizer& grid_;
  double divisor_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<double> metrics_;
  double steps_ = 0;
};

}  // namespace

StatusOr<SecretVector<int32_t>> SumOfCustomers(Program& program, CustomerExamples& customers, const Plan& plan,
                                               const UpdateShape& shape, const Quantizer& quantizer,
                                               UnitGradients& gradients, RandomSource& coins,
                                               const TrainingHooks& hooks, CustomerWatch& watch,
                                               CustomerReport& report) {
  const auto began = SteadyClock::now();
  CustomerSum sums(program, customers, plan, shape, quantizer, gradients, hooks, watch, report);
  if (hooks.checkpoints != nullptr && !hooks.checkpoints->resume().empty()) {
    CheckpointReader in(hooks.checkpoints->resume());
    if (in.U32() != kCheckpointKind) return DataLoss("the checkpoint isn't one of mode customer");
    sums.GoOn(ReadPartialSum(in));
    AISLE_RETURN_IF_ERROR(in.Finish());
  }
  AISLE_ASSIGN_OR_RETURN(std::vector<size_t> drawn, sums.Draw(coins));
  AISLE_ASSIGN_OR_RETURN(SecretVector<int32_t> sum, sums.Of(std::move(drawn), -plan.training.learning_rate, 0,
                                                            [](CheckpointWriter& out) { out.U32(kCheckpointKind); }));
  report.seconds_training = SecondsSince(began);
  return sum;
}

StatusOr<SecretVector<int32_t>> TrainWithLocalSgd(Program& program, CustomerExamples& customers, const Plan& plan,
                                                  const UpdateShape& shape, const Quantizer& quantizer,
                                                  UnitGradients& gradients, RandomSource& coins, RandomSource& noise,
                                                  const TrainingHooks& hooks, CustomerWatch& watch,
                                                  CustomerReport& report) {
  const auto began = SteadyClock::now();
  const Plan step_plan = StepPlan(plan);
  AISLE_ASSIGN_OR_RETURN(const UpdateShape step_shape, UpdateShapeOf(step_plan, program.layout()));
  AISLE_ASSIGN_OR_RETURN(const Quantizer step_grid, QuantizerOf(step_plan, step_shape));
  CustomerSum sums(program, customers, step_plan, step_shape, step_grid, gradients, hooks, watch, report);
  std::vector<float> deltas = program.TrainableValues();
  NoisedSteps steps(program, step_plan, step_shape, step_grid);
  CountedSource counted_noise(noise);
  uint32_t done = 0;
  if (hooks.checkpoints != nullptr && !hooks.checkpoints->resume().empty()) {
    CheckpointReader in(hooks.checkpoints->resume());
    if (in.U32() != kStepsCheckpointKind) return DataLoss("the checkpoint isn't one of mode local-sgd");
    done = in.U32();
    if (done >= plan.privacy.steps) return DataLoss("the checkpoint is after step {} of {}", done, plan.privacy.steps);
    counted_noise.PassOver(in.U64());
    AISLE_RETURN_IF_ERROR(steps.GoOn(done, in));
    sums.GoOn(ReadPartialSum(in));
    AISLE_RETURN_IF_ERROR(in.Finish());
  }
  for (uint32_t step = 0; step < plan.privacy.steps; ++step) {
    AISLE_ASSIGN_OR_RETURN(std::vector<size_t> drawn, sums.Draw(coins));
    if (step < done) continue;
    const auto remember = [&](CheckpointWriter& out) {
      out.U32(kStepsCheckpointKind).U32(step).U64(counted_noise.drawn());
      steps.Write(out);
    };
    AISLE_ASSIGN_OR_RETURN(const SecretVector<int32_t> sum, sums.Of(std::move(drawn), 1, step, remember));
    AISLE_ASSIGN_OR_RETURN(const SecretVector<int64_t> noised,
                           WithNoise(sum.Reveal(), plan.privacy.noise_multiplier, step_grid, counted_noise));
    AISLE_RETURN_IF_ERROR(steps.Apply(noised.Reveal()));
    if (hooks.on_step) hooks.on_step(step + 1, plan.privacy.steps, 0);
  }
  report.seconds_training = SecondsSince(began);
  const std::vector<float> after = program.TrainableValues();
  for (size_t i = 0; i < after.size(); ++i) deltas[i] = after[i] - deltas[i];
  AISLE_ASSIGN_OR_RETURN(const SecretVector<float> clipped, ClippedUpdate(deltas, steps.MetricMeans(), shape));
  return quantizer.Quantize(clipped.Reveal());
}

}  // namespace aisle
