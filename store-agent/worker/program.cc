#include "store-agent/worker/program.h"

#include <torch/script.h>

#include <cstring>
#include <sstream>
#include <utility>

#include "store-agent/worker/archive.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {

namespace {

using torch::jit::Module;

struct Parameter {
  std::string name;
  at::Tensor tensor;
  bool trainable = true;
};

Module MakeModule(const std::vector<ParameterNeed>& needs) {
  Module module(c10::QualifiedName("__torch__.plan"), std::make_shared<torch::jit::CompilationUnit>(), true);
  module.register_attribute("training", c10::BoolType::get(), true);  // Else `self.training` doesn't compile.
  for (const ParameterNeed& need : needs) {
    module.register_parameter(need.tensor.name, torch::zeros(need.tensor.shape).set_requires_grad(need.trainable),
                              false);
  }
  return module;
}

std::vector<Parameter> DeclaredParameters(const Module& module, const std::vector<ParameterNeed>& needs) {
  std::vector<Parameter> parameters;
  for (const ParameterNeed& need : needs) {
    parameters.push_back({need.tensor.name, module.attr(need.tensor.name).toTensor(), need.trainable});
  }
  return parameters;
}

// Those of an archive that train; tied weights are listed once, under their first name.
StatusOr<std::vector<Parameter>> ParametersThatTrain(const Module& module) {
  std::vector<Parameter> parameters;
  std::set<const void*> seen;
  for (const auto& [name, tensor] : module.named_parameters()) {
    if (!tensor.requires_grad() || !seen.insert(tensor.unsafeGetTensorImpl()).second) continue;
    if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu() || tensor.layout() != at::kStrided) {
      return PlanInvalid(
          "the archive's parameter {} is {} on {}; trainable parameters must be dense float32 on the CPU", name,
          c10::toString(tensor.scalar_type()), tensor.device().str());
    }
    parameters.push_back({name, tensor, true});
  }
  if (parameters.empty()) return PlanInvalid("the archive has no parameter that trains");
  return parameters;
}

StatusOr<Layout> LayoutOf(const std::vector<Parameter>& parameters) {
  std::vector<TensorSpec> specs;
  for (const Parameter& parameter : parameters) specs.push_back({parameter.name, parameter.tensor.sizes().vec()});
  return Layout::Make(std::move(specs));
}

}  // namespace

struct Program::State {
  Module module;
  std::vector<Parameter> parameters;
  Layout layout;
  std::set<std::string> operators;
  bool keeps_units_apart = false;
  at::Tensor flat;
  at::Tensor flat_gradient;

  // Moves the trainable parameters into `flat`, keeping their values.
  void Flatten() {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> pieces = {at::empty({0})};
    for (const Parameter& parameter : parameters) {
      if (parameter.trainable) pieces.push_back(parameter.tensor.detach().reshape({-1}));
    }
    flat = at::cat(pieces);
    flat_gradient = at::zeros_like(flat);
    int64_t offset = 0;
    for (Parameter& parameter : parameters) {
      if (!parameter.trainable) continue;
      const int64_t count = parameter.tensor.numel();
      const auto shape = parameter.tensor.sizes().vec();
      parameter.tensor.set_data(flat.narrow(0, offset, count).view(shape));
      parameter.tensor.mutable_grad() = flat_gradient.narrow(0, offset, count).view(shape);
      offset += count;
    }
  }
};

// Every tensor that `value` holds, however deep.
void CollectTensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) tensors.push_back(value.toTensor());
  } else if (value.isObject()) {
    for (const c10::IValue& slot : value.toObjectRef().slots()) CollectTensors(slot, tensors);
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) CollectTensors(item, tensors);
  } else if (value.isTuple()) {
    for (const c10::IValue& item : value.toTupleRef().elements()) CollectTensors(item, tensors);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) CollectTensors(entry.value(), tensors);
  }
}

// Writes that a program makes bump the version counters of its own tensors. Moving the weights through `flat` doesn't:
// the parameters share its memory, not its counter.
class Program::SavedState {
 public:
  explicit SavedState(const State& state) {
    CollectTensors(state.module._ivalue(), tensors_);
    const at::NoGradGuard no_grad;
    for (const at::Tensor& tensor : tensors_) values_.push_back(tensor.detach().clone());
    versions_ = Versions();
  }
  bool Wrote() const { return Versions() != versions_; }
  void Restore() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].detach().copy_(values_[i]);
    versions_ = Versions();
  }

 private:
  int64_t Versions() const {
    int64_t sum = 0;
    for (const at::Tensor& tensor : tensors_) sum += tensor._version();
    return sum;
  }
  std::vector<at::Tensor> tensors_;
  std::vector<at::Tensor> values_;
  int64_t versions_ = 0;
};

std::shared_ptr<Program::SavedState> Program::SaveState() const { return std::make_shared<SavedState>(*state_); }
int64_t Program::own_writes() const {
  std::vector<at::Tensor> tensors;
  CollectTensors(state_->module._ivalue(), tensors);
  int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += tensor._version();
  return sum;
}
bool Program::WroteState(const SavedState& saved) const { return saved.Wrote(); }
void Program::RestoreState(SavedState& saved) { saved.Restore(); }
bool Program::keeps_units_apart() const { return state_->keeps_units_apart; }

Program::Program(std::unique_ptr<State> state) : state_(std::move(state)) {}
Program::~Program() = default;

StatusOr<std::unique_ptr<Program>> Program::FromSource(const std::string& source,
                                                       const std::vector<ParameterNeed>& parameters) {
  auto state = std::make_unique<State>();
  const Status compiled = Guarded("compiling the plan", [&] {
    state->module = MakeModule(parameters);
    state->module.define(source);
    state->parameters = DeclaredParameters(state->module, parameters);
  });
  if (compiled.code() == StatusCode::kOutOfRange) return PlanInvalid("{}", MessageOf(compiled));
  AISLE_RETURN_IF_ERROR(compiled);
  AISLE_ASSIGN_OR_RETURN(state->layout, LayoutOf(state->parameters));
  AISLE_ASSIGN_OR_RETURN(state->operators, CheckProgram(state->module));
  state->keeps_units_apart = KeepsUnitsApart(state->module, state->operators);
  AISLE_RETURN_IF_ERROR(Guarded("laying out parameters", [&] { state->Flatten(); }));
  return std::unique_ptr<Program>(new Program(std::move(state)));
}

StatusOr<std::unique_ptr<Program>> Program::FromArchive(std::string_view archive) {
  AISLE_RETURN_IF_ERROR(ScanArchive(archive));
  auto state = std::make_unique<State>();
  const Status loaded = Guarded("loading the archive", [&] {
    std::istringstream stream{std::string(archive)};
    state->module = torch::jit::load(stream, c10::Device(c10::kCPU));
  });
  if (loaded.code() == StatusCode::kOutOfRange) return PlanInvalid("{}", MessageOf(loaded));
  AISLE_RETURN_IF_ERROR(loaded);
  AISLE_ASSIGN_OR_RETURN(state->parameters, ParametersThatTrain(state->module));
  AISLE_ASSIGN_OR_RETURN(state->layout, LayoutOf(state->parameters));
  AISLE_ASSIGN_OR_RETURN(state->operators, CheckProgram(state->module));
  state->keeps_units_apart = KeepsUnitsApart(state->module, state->operators);
  AISLE_RETURN_IF_ERROR(Guarded("laying out parameters", [&] { state->Flatten(); }));
  return std::unique_ptr<Program>(new Program(std::move(state)));
}

StatusOr<std::unique_ptr<Program>> Program::FromBundle(const PlanBundle& bundle, const Plan& plan) {
  if (bundle.kind == ProgramKind::kArchive) return FromArchive(bundle.program);
  return FromSource(bundle.program, plan.parameters);
}

const Layout& Program::layout() const { return state_->layout; }
size_t Program::trainable_count() const { return static_cast<size_t>(state_->flat.numel()); }
const std::set<std::string>& Program::operators() const { return state_->operators; }
at::Tensor& Program::flat() { return state_->flat; }
at::Tensor& Program::flat_gradient() { return state_->flat_gradient; }

const Module& Program::module() const { return state_->module; }

std::vector<at::Tensor> Program::trainable() const {
  std::vector<at::Tensor> trainable;
  for (const Parameter& parameter : state_->parameters) {
    if (parameter.trainable) trainable.push_back(parameter.tensor);
  }
  return trainable;
}

std::vector<std::string> Program::methods() const {
  std::vector<std::string> names;
  for (const auto& method : state_->module.get_methods()) names.push_back(method.name());
  return names;
}

Status Program::SetWeights(const Weights& weights) {
  if (!(weights.layout == state_->layout)) {
    return InvalidArgument("the weights hold {} tensors of {} elements, which are not the plan's {} of {}",
                           weights.layout.size(), weights.layout.element_count(), state_->layout.size(),
                           state_->layout.element_count());
  }
  AISLE_RETURN_IF_ERROR(CheckFinite(weights));
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < state_->parameters.size(); ++i) {
    const std::span<const float> values = weights.tensor(i);
    if (!values.empty())
      std::memcpy(state_->parameters[i].tensor.data_ptr<float>(), values.data(), values.size_bytes());
  }
  return OkStatus();
}

Weights Program::GetWeights() const {
  Weights weights{.layout = state_->layout, .values = std::vector<float>(state_->layout.element_count())};
  for (size_t i = 0; i < state_->parameters.size(); ++i) {
    const std::span<float> values = weights.tensor(i);
    if (!values.empty())
      std::memcpy(values.data(), state_->parameters[i].tensor.data_ptr<float>(), values.size_bytes());
  }
  return weights;
}

std::vector<float> Program::TrainableValues() const {
  const float* values = state_->flat.data_ptr<float>();
  return {values, values + state_->flat.numel()};
}

void Program::SetTraining(bool training) { state_->module.train(training); }

Status Program::Call(const char* method, const c10::IValue& argument, c10::IValue& result) {
  return Guarded(method, [&] { result = state_->module.get_method(method)({argument}); });
}

}  // namespace aisle
