#include <torch/script.h>

#include "aggregation/norm.h"
#include "store-agent/worker/customers/unit_gradients.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"
#include "store-agent/worker/tensor_allowance.h"

namespace aisle {
namespace {

class UnitSteps final : public UnitGradients {
 public:
  explicit UnitSteps(uint32_t steps) : steps_(steps) {}

  Status AddSome(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) override {
    const at::Tensor broadcast = work.program.flat().detach().clone();
    const auto saved = work.program.SaveState();
    Status ended;
    for (const size_t unit : work.drawn) {
      if (work.stop != nullptr && work.stop->load(std::memory_order_relaxed)) {
        ended = Cancelled("training was stopped");
        break;
      }
      work.Announce({&unit, 1});
      // A unit that fails adds nothing, and the others go on: see UnitGradients.
      (void)Add(work, unit, broadcast, *saved, slots_of, sum);
      if (work.program.WroteState(*saved)) work.program.RestoreState(*saved);
      const at::NoGradGuard no_grad;
      work.program.flat().copy_(broadcast);
    }
    return ended;
  }

 private:
  Status Add(const UnitWork& work, size_t unit, const at::Tensor& broadcast, const Program::SavedState& saved,
             const SlotsOfUnit& slots_of, UnitSum& sum) const {
    const TensorAllowance allowance(work.memory_max);
    AISLE_RETURN_IF_ERROR(Train(work, unit));
    const at::NoGradGuard no_grad;
    const at::Tensor moved = work.program.flat() - broadcast;
    work.program.flat().copy_(broadcast);  // Metrics are those of the weights that came.
    const std::span<const float> vector(moved.data_ptr<float>(), static_cast<size_t>(moved.numel()));
    const double norm = L2Norm(vector);
    AISLE_ASSIGN_OR_RETURN(const std::vector<double> slots, slots_of(unit, norm));
    if (work.program.WroteState(saved)) return PlanError("the plan wrote into its own parameters");
    return sum.Add(vector, norm, slots);
  }

  Status Train(const UnitWork& work, size_t unit) const {
    const std::span<const int64_t> examples = work.units.examples(unit);
    if (examples.empty()) return OkStatus();
    at::manual_seed(work.units.seed(unit));
    c10::IValue batch;
    work.examples.Gather(examples, batch);
    for (uint32_t step = 0; step < steps_; ++step) {
      c10::IValue losses;
      AISLE_RETURN_IF_ERROR(work.program.Call(kLoss, batch, losses));
      AISLE_RETURN_IF_ERROR(Guarded("differentiating loss", [&] {
        work.program.flat_gradient().zero_();
        losses.toTensor().mean().backward();
        const at::NoGradGuard no_grad;
        work.program.flat().add_(work.program.flat_gradient(), work.factor);
      }));
    }
    return OkStatus();
  }

  uint32_t steps_;
};

}  // namespace

std::unique_ptr<UnitGradients> MakeUnitSteps(uint32_t steps) { return std::make_unique<UnitSteps>(steps); }

}  // namespace aisle
