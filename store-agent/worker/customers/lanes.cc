#include "store-agent/worker/customers/lanes.h"

#include <ATen/functorch/BatchedFallback.h>
#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <ATen/functorch/TensorWrapper.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/lower_graph.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/script.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Stack;
using torch::jit::Use;
using torch::jit::Value;

constexpr int64_t kLaneCount = kLanes;
constexpr double kDifferenceMax = 1e-3;  // Of two norms, far over rounding and far under any mistake.
constexpr int64_t kTogether = 3;
constexpr size_t kTurns = 3;  // Orders in which made-up examples are tried.

bool Is(const Node& node, const char* name) { return node.kind() == c10::Symbol::fromQualString(name); }

template <typename T>
bool IsConstant(const Value* value, T expected) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant) return false;
  if (constant->isInt()) return static_cast<double>(constant->toInt()) == static_cast<double>(expected);
  if (constant->isDouble()) return constant->toDouble() == static_cast<double>(expected);
  return constant->isBool() && static_cast<double>(constant->toBool()) == static_cast<double>(expected);
}

// A node that applies a parameter to inputs: its x (or ids) is written down in one list, its output in another.
struct Application {
  Node* node = nullptr;
  Value* x = nullptr;
};

// One use of a parameter that is understood.
struct Understood {
  Application application;
  GradientForm form = GradientForm::kWhole;
  bool is_bias = false;
};

bool IsProduct(const Node& node) { return Is(node, "aten::matmul") || Is(node, "aten::mm"); }
bool IsPlainAddmm(const Node& node) {
  return Is(node, "aten::addmm") && IsConstant(node.input(3), 1) && IsConstant(node.input(4), 1);
}
bool Transposes(const Node& node) {
  if (Is(node, "aten::t") || Is(node, "aten::numpy_T")) return true;
  if (!Is(node, "aten::transpose")) return false;
  return (IsConstant(node.input(1), 0) && IsConstant(node.input(2), 1)) ||
         (IsConstant(node.input(1), 1) && IsConstant(node.input(2), 0));
}

// How `use` takes a parameter of `dims` dimensions.
std::optional<Understood> Understand(const Use& use, int64_t dims, bool transposed) {
  Node& node = *use.user;
  const GradientForm matrix = transposed ? GradientForm::kProducts : GradientForm::kProductsTransposed;
  if (dims == 1) {
    if (Is(node, "aten::linear") && use.offset == 2) return Understood{{&node, node.input(0)}, {}, true};
    if (IsPlainAddmm(node) && use.offset == 0) return Understood{{&node, node.input(1)}, {}, true};
  }
  if (dims != 2) return std::nullopt;
  if (Is(node, "aten::linear") && use.offset == 1 && !transposed) {
    return Understood{{&node, node.input(0)}, GradientForm::kProducts, false};
  }
  if (IsProduct(node) && use.offset == 1) return Understood{{&node, node.input(0)}, matrix, false};
  if (IsPlainAddmm(node) && use.offset == 2) return Understood{{&node, node.input(1)}, matrix, false};
  if (Is(node, "aten::embedding") && use.offset == 0 && !transposed && IsConstant(node.input(2), -1) &&
      IsConstant(node.input(3), false) && IsConstant(node.input(4), false)) {
    return Understood{{&node, node.input(1)}, GradientForm::kTable, false};
  }
  return std::nullopt;
}

// All uses of `parameter`, or nothing if one isn't understood or they don't agree.
std::vector<Understood> UnderstandAll(const Value& parameter, int64_t dims) {
  std::vector<Understood> all;
  const auto add = [&](const Use& use, bool transposed) {
    const auto understood = Understand(use, dims, transposed);
    if (!understood || (!all.empty() && (all[0].form != understood->form || all[0].is_bias != understood->is_bias))) {
      return false;
    }
    all.push_back(*understood);
    return true;
  };
  for (const Use& use : parameter.uses()) {
    if (dims == 2 && use.offset == 0 && Transposes(*use.user)) {
      for (const Use& inner : use.user->output()->uses()) {
        if (!add(inner, true)) return {};
      }
    } else if (!add(use, false)) {
      return {};
    }
  }
  return all;
}

// Pops its layer whatever happens.
class Layer {
 public:
  static Layer Vmap() {
    return Layer(at::functorch::initAndPushDynamicLayer(at::functorch::TransformType::Vmap, kLaneCount,
                                                        at::functorch::RandomnessType::Error));
  }
  static Layer Grad() {
    return Layer(
        at::functorch::initAndPushDynamicLayer(at::functorch::TransformType::Grad, c10::nullopt, c10::nullopt, true));
  }
  ~Layer() { at::functorch::popDynamicLayerAndDeleteMetadata(); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  int64_t level() const { return level_; }

 private:
  explicit Layer(int64_t level) : level_(level) {}
  int64_t level_;
};

at::Tensor OutOfGrad(const at::Tensor& tensor) {
  const auto* wrapper = at::functorch::maybeGetTensorWrapper(tensor);
  return wrapper == nullptr ? tensor : wrapper->value();
}

// [kLanes, ...], whether or not it differs between lanes.
at::Tensor OutOfVmap(const at::Tensor& tensor) {
  const auto* batched = at::functorch::maybeGetBatchedImpl(tensor);
  if (batched != nullptr) return batched->value().movedim(batched->bdim(), 0);
  std::vector<int64_t> sizes = {kLaneCount};
  sizes.insert(sizes.end(), tensor.sizes().begin(), tensor.sizes().end());
  return tensor.unsqueeze(0).expand(sizes);
}

// As contiguous [kLanes, rows, width] of `type`.
at::Tensor AsRows(const at::Tensor& tensor, size_t width, at::ScalarType type) {
  if (tensor.scalar_type() != type) C10_THROW_ERROR(TypeError, "a weight is applied to numbers of another type");
  return tensor.reshape({kLaneCount, -1, static_cast<int64_t>(width)}).contiguous();
}

at::Tensor Join(const std::vector<at::Tensor>& pieces) { return pieces.size() == 1 ? pieces[0] : at::cat(pieces, 1); }

}  // namespace

struct Lanes::State {
  // A parameter's place in the graph.
  struct Place {
    size_t slot = 0;                   // Among `values`; kNowhere if loss doesn't use it.
    std::vector<size_t> applications;  // Not empty: it comes as rows, or as a bias from their g.
    bool is_bias = false;
  };
  static constexpr size_t kNowhere = SIZE_MAX;

  Program* program = nullptr;
  std::shared_ptr<Graph> graph;
  std::unique_ptr<torch::jit::Code> code;
  std::vector<c10::IValue> values;  // What the graph takes after the batch.
  std::vector<Place> places;        // By parameter, as `parameters`.
  std::vector<Application> applications;
  std::vector<LaneParameter> parameters;
  std::vector<at::Tensor> tensors;
  size_t whole_count = 0;
  std::vector<size_t> seats;

  LaneGradients gradients;
  std::vector<at::Tensor> kept;  // Owns what `gradients` points to.

  void Lower(const Program& of) {
    const torch::jit::Module& module = of.module();
    std::tie(graph, values) = torch::jit::LowerGraph(*module.get_method(kLoss).graph(), module._ivalue());
    tensors = of.trainable();
    size_t offset = 0;
    for (const at::Tensor& tensor : tensors) {
      const auto count = static_cast<size_t>(tensor.numel());
      parameters.push_back({.offset = offset, .count = count});
      places.push_back({.slot = SlotOf(tensor), .applications = {}});
      offset += count;
    }
  }
  size_t SlotOf(const at::Tensor& tensor) const {
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].isTensor() && values[i].toTensor().is_same(tensor)) return i;
    }
    return kNowhere;
  }

  // Finds what needs no gradient of its own, and has the graph write down x and y of what applies it.
  void Factor() {
    for (size_t i = 0; i < tensors.size(); ++i) {
      Place& place = places[i];
      if (place.slot == kNowhere) continue;
      const Value* input = graph->inputs()[graph->inputs().size() - values.size() + place.slot];
      const std::vector<Understood> uses = UnderstandAll(*input, tensors[i].dim());
      if (uses.empty()) continue;
      place.is_bias = uses[0].is_bias;
      parameters[i].form = uses[0].form;
      for (const Understood& use : uses) place.applications.push_back(NumberOf(use.application));
      SetSizes(parameters[i], tensors[i]);
    }
    for (const Application& application : applications) WriteDown(application);
  }
  size_t NumberOf(const Application& application) {
    for (size_t k = 0; k < applications.size(); ++k) {
      if (applications[k].node == application.node) return k;
    }
    applications.push_back(application);
    return applications.size() - 1;
  }
  static void SetSizes(LaneParameter& parameter, const at::Tensor& tensor) {
    if (parameter.form == GradientForm::kWhole) return;
    const auto first = static_cast<size_t>(tensor.size(0));
    const auto second = static_cast<size_t>(tensor.size(1));
    const bool outputs_first = parameter.form == GradientForm::kProducts;
    parameter.inputs = outputs_first ? second : first;
    parameter.outputs = outputs_first ? first : second;
  }
  void WriteDown(const Application& application) {
    for (Value* value : {application.x, application.node->output()}) {
      Node* list = graph->createList(c10::TensorType::get(), {});
      graph->prependNode(list);
      Node* append = graph->create(c10::Symbol::fromQualString("aten::append"), {list->output(), value});
      append->output()->setType(list->output()->type());
      append->insertAfter(application.node);
      graph->registerOutput(list->output());
    }
  }

  Status Run(const c10::IValue& batch) {
    return Guarded("running lanes", [&] { RunOrThrow(batch); });
  }

  struct Outcome {
    std::vector<at::Tensor> whole;                // By parameter; undefined if it comes as rows.
    std::vector<std::vector<at::Tensor>> inputs;  // By application.
    std::vector<std::vector<at::Tensor>> outputs_gradient;
  };

  void RunOrThrow(const c10::IValue& batch) {
    Outcome outcome;
    {
      const Layer vmap = Layer::Vmap();
      c10::Dict<std::string, at::Tensor> lanes;
      for (const auto& entry : batch.toGenericDict()) {
        const at::Tensor alone = entry.value().toTensor().unsqueeze(1);  // In a lane: one example.
        lanes.insert(entry.key().toStringRef(), at::functorch::addBatchDim(alone, 0, vmap.level()));
      }
      outcome = Differentiate(lanes);
      const auto leave = [](at::Tensor& tensor) { tensor = tensor.defined() ? OutOfVmap(tensor) : tensor; };
      std::ranges::for_each(outcome.whole, leave);
      for (auto& tensors_of_one : outcome.inputs) std::ranges::for_each(tensors_of_one, leave);
      for (auto& tensors_of_one : outcome.outputs_gradient) std::ranges::for_each(tensors_of_one, leave);
    }
    const at::NoGradGuard no_grad;
    Keep(outcome);
  }

  Outcome Differentiate(const c10::Dict<std::string, at::Tensor>& lanes) {
    std::vector<at::Tensor> detached(values.size());  // Before the layer is pushed: else they'd be of the layer.
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].isTensor()) detached[i] = values[i].toTensor().detach();
    }
    const Layer grad = Layer::Grad();
    c10::Dict<std::string, at::Tensor> wrapped;
    for (const auto& entry : lanes) {
      wrapped.insert(entry.key(), at::functorch::makeTensorWrapper(entry.value(), grad.level()));
    }
    Stack stack = {wrapped};
    for (size_t i = 0; i < values.size(); ++i) {
      if (!detached[i].defined()) {
        stack.push_back(values[i]);
      } else if (detached[i].is_floating_point()) {
        stack.push_back(at::functorch::makeTensorWrapper(detached[i], grad.level()));
      } else {
        stack.push_back(detached[i]);
      }
    }
    std::vector<at::Tensor> sought;  // What the loss is differentiated by.
    for (const Place& place : places) {
      if (place.slot == kNowhere) continue;
      at::Tensor parameter = stack[1 + place.slot].toTensor();
      parameter.set_requires_grad(true);
      if (place.applications.empty()) sought.push_back(parameter);
    }
    torch::jit::InterpreterState(*code).run(stack);
    return Backward(stack, std::move(sought));
  }

  Outcome Backward(const Stack& stack, std::vector<at::Tensor> sought) {
    const at::Tensor losses = stack[0].toTensor();
    if (losses.dim() != 1 || losses.size(0) != 1 || !losses.is_floating_point()) {
      C10_THROW_ERROR(ValueError, "loss didn't return one float for one example");
    }
    Outcome outcome;
    const size_t whole_sought = sought.size();
    for (size_t k = 0; k < applications.size(); ++k) {
      outcome.inputs.push_back(stack[1 + 2 * k].toTensorVector());
      const std::vector<at::Tensor> outputs = stack[2 + 2 * k].toTensorVector();
      outcome.outputs_gradient.emplace_back(outputs.size());
      sought.insert(sought.end(), outputs.begin(), outputs.end());
    }
    const auto found = torch::autograd::grad({losses.sum()}, sought, {}, c10::nullopt, false, true);
    const auto gradient_of = [&](size_t i) {
      return OutOfGrad(found[i].defined() ? found[i] : at::zeros_like(sought[i]));
    };
    size_t next = 0;
    for (const Place& place : places) {
      const bool is_sought = place.slot != kNowhere && place.applications.empty();
      outcome.whole.push_back(is_sought ? gradient_of(next++) : at::Tensor());
    }
    AISLE_CHECK(next == whole_sought);
    for (auto& gradients_of_one : outcome.outputs_gradient) {
      for (at::Tensor& gradient : gradients_of_one) gradient = gradient_of(next++);
    }
    for (auto& inputs_of_one : outcome.inputs) {
      for (at::Tensor& input : inputs_of_one) input = OutOfGrad(input);
    }
    return outcome;
  }

  // Lays the outcome out as `gradients` promises.
  void Keep(const Outcome& outcome) {
    kept.clear();
    gradients.rows.assign(parameters.size(), {});
    std::vector<at::Tensor> whole = {at::zeros({kLaneCount, 0})};
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].form != GradientForm::kWhole) {
        gradients.rows[i] = KeepRows(outcome, i);
      } else {
        const at::Tensor gradient = WholeOf(outcome, i);
        if (gradient.scalar_type() != at::kFloat) C10_THROW_ERROR(TypeError, "a gradient isn't float32");
        whole.push_back(gradient.reshape({kLaneCount, -1}));
      }
    }
    const at::Tensor joined = (whole.size() == 2 ? whole[1] : at::cat(whole, 1)).contiguous();
    gradients.whole = joined.data_ptr<float>();
    kept.push_back(joined);
  }

  at::Tensor WholeOf(const Outcome& outcome, size_t i) const {
    const Place& place = places[i];
    if (place.slot == kNowhere) return at::zeros({kLaneCount, static_cast<int64_t>(parameters[i].count)});
    if (!place.is_bias) return outcome.whole[i];
    at::Tensor sum;
    for (const size_t k : place.applications) {
      for (const at::Tensor& gradient : outcome.outputs_gradient[k]) {
        const at::Tensor rows = AsRows(gradient, parameters[i].count, at::kFloat);
        const at::Tensor one = rows.size(1) == 1 ? rows.select(1, 0) : rows.sum(1);
        sum = sum.defined() ? sum + one : one;
      }
    }
    return sum.defined() ? sum : at::zeros({kLaneCount, static_cast<int64_t>(parameters[i].count)});
  }

  LaneGradients::Rows KeepRows(const Outcome& outcome, size_t i) {
    const LaneParameter& parameter = parameters[i];
    const bool is_table = parameter.form == GradientForm::kTable;
    std::vector<at::Tensor> x;
    std::vector<at::Tensor> g;
    for (const size_t k : places[i].applications) {
      for (size_t j = 0; j < outcome.inputs[k].size(); ++j) {
        x.push_back(AsRows(outcome.inputs[k][j], is_table ? 1 : parameter.inputs, is_table ? at::kLong : at::kFloat));
        g.push_back(AsRows(outcome.outputs_gradient[k][j], parameter.outputs, at::kFloat));
        TORCH_CHECK(x.back().size(1) == g.back().size(1), "a weight's inputs and outputs don't pair up");
      }
    }
    if (x.empty()) return {};
    kept.push_back(Join(x));
    kept.push_back(Join(g));
    const at::Tensor& inputs = kept[kept.size() - 2];
    return {.per_lane = static_cast<size_t>(kept.back().size(1)),
            .x = is_table ? nullptr : inputs.data_ptr<float>(),
            .ids = is_table ? inputs.data_ptr<int64_t>() : nullptr,
            .g = kept.back().data_ptr<float>()};
  }

  // One lane's gradient, written out.
  at::Tensor Dense(int64_t lane) const {
    std::vector<at::Tensor> pieces;
    int64_t whole_at = 0;
    size_t kept_at = 0;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const LaneParameter& parameter = parameters[i];
      const auto count = static_cast<int64_t>(parameter.count);
      if (parameter.form == GradientForm::kWhole) {
        pieces.push_back(kept.back()[lane].narrow(0, whole_at, count));
        whole_at += count;
      } else if (gradients.rows[i].per_lane == 0) {
        pieces.push_back(at::zeros({count}));
      } else {
        const at::Tensor x = kept[kept_at][lane];
        const at::Tensor g = kept[kept_at + 1][lane];
        kept_at += 2;
        pieces.push_back(DenseOf(parameter, x, g).reshape({-1}));
      }
    }
    return at::cat(pieces);
  }
  static at::Tensor DenseOf(const LaneParameter& parameter, const at::Tensor& x, const at::Tensor& g) {
    if (parameter.form == GradientForm::kProducts) return g.t().mm(x);
    if (parameter.form == GradientForm::kProductsTransposed) return x.t().mm(g);
    const auto ids = static_cast<int64_t>(parameter.inputs);
    return at::zeros({ids, g.size(1)}).index_add(0, x.reshape({-1}), g);
  }

  // One tensor a lane, of everything a run gave.
  std::vector<at::Tensor> Everything() const {
    std::vector<at::Tensor> all;
    for (const at::Tensor& tensor : kept) all.push_back(tensor.clone());
    return all;
  }
};

Lanes::Lanes(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lanes::~Lanes() = default;

StatusOr<std::unique_ptr<Lanes>> Lanes::Make(Program& program, Rows rows) {
  at::functorch::setVmapFallbackEnabled(false);  // It would run an operator lane by lane, and say so every time.
  auto state = std::make_unique<State>();
  state->program = &program;
  program.SetTraining(true);
  AISLE_RETURN_IF_ERROR(Guarded("laying out lanes", [&] {
    state->Lower(program);
    if (rows == Rows::kYes) state->Factor();
    state->code = std::make_unique<torch::jit::Code>(state->graph, "lanes");
  }));
  for (const LaneParameter& parameter : state->parameters) {
    if (parameter.form == GradientForm::kWhole) state->whole_count += parameter.count;
  }
  for (size_t lane = 0; lane < kLanes; ++lane) state->seats.push_back(lane);
  state->gradients.rows.resize(state->parameters.size());
  return std::unique_ptr<Lanes>(new Lanes(std::move(state)));
}

const std::vector<LaneParameter>& Lanes::parameters() const { return state_->parameters; }
size_t Lanes::whole_count() const { return state_->whole_count; }
const std::vector<size_t>& Lanes::seats() const { return state_->seats; }
const LaneGradients& Lanes::gradients() const { return state_->gradients; }

bool Lanes::has_rows() const {
  return std::ranges::any_of(state_->parameters,
                             [](const LaneParameter& one) { return one.form != GradientForm::kWhole; });
}

Status Lanes::Run(const Examples& examples, std::span<const int64_t> indices) {
  if (indices.size() != kLanes) return InvalidArgument("{} examples for {} lanes", indices.size(), kLanes);
  c10::IValue batch;
  AISLE_RETURN_IF_ERROR(Guarded("gathering", [&] { examples.Gather(indices, batch); }));
  return state_->Run(batch);
}

namespace {

// The gradient of the mean loss of `indices`, the plain way.
StatusOr<at::Tensor> PlainGradient(Program& program, const Examples& examples, const std::vector<int64_t>& indices) {
  c10::IValue batch;
  c10::IValue losses;
  examples.Gather(indices, batch);
  {
    const at::NoGradGuard no_grad;
    program.flat_gradient().zero_();
  }
  AISLE_RETURN_IF_ERROR(program.Call(kLoss, batch, losses));
  AISLE_RETURN_IF_ERROR(Guarded("differentiating loss", [&] { losses.toTensor().mean().backward(); }));
  return program.flat_gradient().clone();
}

Status CheckAlike(const at::Tensor& plain, const at::Tensor& lanes) {
  const double size = plain.norm().item<double>();
  const double difference = (plain - lanes).norm().item<double>();
  if (difference <= kDifferenceMax * size + 1e-9) return OkStatus();
  return PlanError("in lanes the gradient differs by {:.3g} of its norm {:.3g}", difference, size);
}

}  // namespace

Status Lanes::Agree(const Examples& examples) {
  std::vector<int64_t> indices(kLanes);
  for (size_t lane = 0; lane < kLanes; ++lane) indices[lane] = static_cast<int64_t>(lane) % examples.size();
  AISLE_RETURN_IF_ERROR(Run(examples, indices));
  const at::NoGradGuard no_grad;
  at::Tensor mean;
  for (int64_t lane = 0; lane < kTogether; ++lane) {
    const at::Tensor dense = state_->Dense(lane);
    {
      const at::AutoGradMode with_grad(true);
      AISLE_ASSIGN_OR_RETURN(const at::Tensor plain,
                             PlainGradient(*state_->program, examples, {indices[static_cast<size_t>(lane)]}));
      AISLE_RETURN_IF_ERROR(CheckAlike(plain, dense));
    }
    mean = mean.defined() ? mean + dense : dense;
  }
  const at::AutoGradMode with_grad(true);
  const std::vector<int64_t> together(indices.begin(), indices.begin() + kTogether);
  AISLE_ASSIGN_OR_RETURN(const at::Tensor plain, PlainGradient(*state_->program, examples, together));
  return CheckAlike(plain, mean / kTogether);
}

Status Lanes::Steady(const Examples& examples) {
  std::vector<bool> steady(kLanes, true);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    // Everyone sits where example `turn` sat first, then others sit among them.
    const auto example = static_cast<int64_t>(turn) % examples.size();
    AISLE_RETURN_IF_ERROR(Run(examples, std::vector<int64_t>(kLanes, example)));
    const std::vector<at::Tensor> alone = state_->Everything();
    std::vector<int64_t> mixed(kLanes);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      mixed[lane] = lane % 2 == turn % 2 ? example : static_cast<int64_t>(lane + turn) % examples.size();
    }
    AISLE_RETURN_IF_ERROR(Run(examples, mixed));
    AISLE_RETURN_IF_ERROR(Guarded("comparing lanes", [&] {
      for (size_t t = 0; t < alone.size(); ++t) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
          const auto at = static_cast<int64_t>(lane);
          if (!alone[t][at].equal(alone[t][0])) steady[lane] = false;
          if (mixed[lane] == example && !state_->kept[t][at].equal(alone[t][at])) steady[lane] = false;
        }
      }
    }));
  }
  state_->seats.clear();
  for (size_t lane = 0; lane < kLanes; ++lane) {
    if (steady[lane]) state_->seats.push_back(lane);
  }
  if (state_->seats.size() >= kLanes / 4) return OkStatus();
  return PlanError("only {} of {} lanes give the same bits on this machine", state_->seats.size(), kLanes);
}

}  // namespace aisle
