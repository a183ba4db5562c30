#include <torch/script.h>

#include "aggregation/norm.h"
#include "store-agent/worker/customers/unit_gradients.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"
#include "store-agent/worker/tensor_allowance.h"

namespace aisle {
namespace {

class UnitLoop final : public UnitGradients {
 public:
  Status AddSome(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) override {
    const auto saved = work.program.SaveState();
    for (const size_t unit : work.drawn) {
      if (work.stop != nullptr && work.stop->load(std::memory_order_relaxed)) return Cancelled("training was stopped");
      work.Announce({&unit, 1});
      // A unit that fails adds nothing, and the others go on: see UnitGradients.
      (void)Add(work, unit, *saved, slots_of, sum);
      if (work.program.WroteState(*saved)) work.program.RestoreState(*saved);
    }
    return OkStatus();
  }

 private:
  static Status Add(const UnitWork& work, size_t unit, const Program::SavedState& saved, const SlotsOfUnit& slots_of,
                    UnitSum& sum) {
    const TensorAllowance allowance(work.memory_max);
    AISLE_RETURN_IF_ERROR(Differentiate(work, unit));
    at::Tensor& gradient = work.program.flat_gradient();
    const std::span<const float> vector(gradient.data_ptr<float>(), static_cast<size_t>(gradient.numel()));
    const double norm = L2Norm(vector);
    AISLE_ASSIGN_OR_RETURN(const std::vector<double> slots, slots_of(unit, norm));
    if (work.program.WroteState(saved)) return PlanError("the plan wrote into its own parameters");
    return sum.Add(vector, norm, slots);
  }

  // Leaves factor * gradient of the unit's mean loss in the program's flat gradient.
  static Status Differentiate(const UnitWork& work, size_t unit) {
    at::Tensor& gradient = work.program.flat_gradient();
    {
      const at::NoGradGuard no_grad;
      gradient.zero_();
    }
    const std::span<const int64_t> examples = work.units.examples(unit);
    if (examples.empty()) return OkStatus();
    at::manual_seed(work.units.seed(unit));
    c10::IValue batch;
    c10::IValue losses;
    work.examples.Gather(examples, batch);
    AISLE_RETURN_IF_ERROR(work.program.Call(kLoss, batch, losses));
    return Guarded("differentiating loss", [&] {
      losses.toTensor().mean().backward();
      const at::NoGradGuard no_grad;
      gradient.mul_(work.factor);
    });
  }
};

}  // namespace

std::unique_ptr<UnitGradients> MakeUnitLoop() { return std::make_unique<UnitLoop>(); }

}  // namespace aisle
