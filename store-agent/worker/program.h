// A plan's program, compiled and checked, with its parameters laid out as one flat vector.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/weights.h"
#include "base/status.h"
#include "plans/bundle.h"
#include "plans/plan.h"

namespace at {
class Tensor;
}
namespace c10 {
struct IValue;
}
namespace torch::jit {
struct Module;
}

namespace aisle {

// Not thread-safe: one task at a time, on the thread that warmed the engine up.
class Program {
 public:
  // Compiling source executes nothing. An archive is scanned first; loading it then unpickles it. Either way every
  // method is checked (graph_check.h) before this returns. Errors: PlanInvalid, ResourceExhausted.
  static StatusOr<std::unique_ptr<Program>> FromSource(const std::string& source,
                                                       const std::vector<ParameterNeed>& parameters);
  static StatusOr<std::unique_ptr<Program>> FromArchive(std::string_view archive);
  static StatusOr<std::unique_ptr<Program>> FromBundle(const PlanBundle& bundle, const Plan& plan);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // All parameters that HQ sends: every declared one of a source, the trainable ones of an archive.
  const Layout& layout() const;
  // Elements that train, in layout order.
  size_t trainable_count() const;
  const std::set<std::string>& operators() const;
  std::vector<std::string> methods() const;

  // InvalidArgument if the layout is another one or a value isn't finite.
  Status SetWeights(const Weights& weights);
  Weights GetWeights() const;
  std::vector<float> TrainableValues() const;  // In layout order.

  // The trainable parameters as one float tensor that the module's parameters are views of, and likewise their
  // gradients, which backward() adds to: an optimizer step is a few operations whatever the number of tensors.
  at::Tensor& flat();
  at::Tensor& flat_gradient();

  // The module itself, and the parameters of it that train, in layout order: what `flat` is made of.
  const torch::jit::Module& module() const;
  std::vector<at::Tensor> trainable() const;

  void SetTraining(bool training);  // What `self.training` says: dropout and its like.
  // Whether several customers may share one call: see graph_check.h.
  bool keeps_units_apart() const;

  // Whether the program itself wrote into one of its parameters or buffers since `saved`, and the way back: nothing
  // that was learnt from one customer's rows may be there when the next one's turn comes. Saving copies the whole
  // state.
  class SavedState;
  std::shared_ptr<SavedState> SaveState() const;
  bool WroteState(const SavedState& saved) const;
  void RestoreState(SavedState& saved);
  // Rises whenever the program itself writes into one of them; an optimizer's steps don't count.
  int64_t own_writes() const;

  // Calls a method; what it throws becomes PlanError.
  Status Call(const char* method, const c10::IValue& argument, c10::IValue& result);

 private:
  struct State;
  explicit Program(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aisle
