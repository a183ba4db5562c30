#include "store-agent/worker/customers/customer_training.h"

#include <torch/script.h>

#include <chrono>
#include <cmath>
#include <numeric>

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

  StatusOr<SecretVector<int32_t>> Draw(RandomSource& coins, double factor, uint32_t step) {
    AISLE_ASSIGN_OR_RETURN(const UnitSampler sampler, UnitSampler::Make(plan_.privacy.sampling_rate));
    std::vector<size_t> drawn = sampler.Draw(customers_.customers(), coins);
    report_.customers = customers_.customers();
    report_.drawn += drawn.size();
    watch_.BeginStep(step);
    std::erase_if(drawn, [&](size_t customer) { return watch_.IsLeftOut(customer); });
    gradients_.Begin(sum_);
    for (std::span<const size_t> rest = drawn; !rest.empty();) {
      AISLE_ASSIGN_OR_RETURN(const DrawnExamples prepared, customers_.Of(rest, hooks_.stop));
      if (prepared.examples) AISLE_RETURN_IF_ERROR(Add(*prepared.examples, prepared.units, factor));
      rest = rest.subspan(prepared.taken);
    }
    gradients_.Finish(sum_);
    return sum_.Take();
  }

 private:
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
  AISLE_ASSIGN_OR_RETURN(SecretVector<int32_t> sum, sums.Draw(coins, -plan.training.learning_rate, 0));
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
  for (uint32_t step = 0; step < plan.privacy.steps; ++step) {
    AISLE_ASSIGN_OR_RETURN(const SecretVector<int32_t> sum, sums.Draw(coins, 1, step));
    AISLE_ASSIGN_OR_RETURN(const SecretVector<int64_t> noised,
                           WithNoise(sum.Reveal(), plan.privacy.noise_multiplier, step_grid, noise));
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
