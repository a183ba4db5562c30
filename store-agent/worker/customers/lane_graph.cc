#include "store-agent/worker/customers/lane_graph.h"

#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/lower_graph.h>
#include <torch/csrc/jit/runtime/custom_operator.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/script.h>

#include <optional>
#include <tuple>

#include "store-agent/worker/graph_check.h"

namespace aisle {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

constexpr const char* kApart = "aisle::apart";

// Under vmap, a tensor that is the same for all lanes becomes one of its own for each. Plans can't call it: it is on no
// list of operators.
void TakeApart(torch::jit::Stack& stack) {
  const at::Tensor tensor = torch::jit::pop(stack).toTensor();
  const auto layer = at::functorch::maybeCurrentDynamicLayer();
  if (!layer || at::functorch::maybeGetBatchedImpl(tensor) != nullptr) {
    torch::jit::push(stack, tensor);
    return;
  }
  std::vector<int64_t> sizes = {layer->batchSize()};
  sizes.insert(sizes.end(), tensor.sizes().begin(), tensor.sizes().end());
  torch::jit::push(stack, at::functorch::addBatchDim(tensor.unsqueeze(0).expand(sizes), 0, layer->layerId()));
}

const torch::jit::RegisterOperators kOperators({torch::jit::Operator("aisle::apart(Tensor(a) x) -> Tensor(a)",
                                                                     TakeApart, c10::AliasAnalysisKind::FROM_SCHEMA)});

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

}  // namespace

struct LaneGraph::State {
  std::shared_ptr<Graph> graph;
  std::vector<c10::IValue> values;
  std::vector<Application> applications;
  std::optional<torch::jit::Code> code;

  size_t SlotOf(const at::Tensor& tensor) const {
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].isTensor() && values[i].toTensor().is_same(tensor)) return i;
    }
    return Place::kNowhere;
  }

  // Finds what `place` is applied to, if that is all that becomes of it.
  void Factor(const at::Tensor& tensor, Place& place, LaneParameter& parameter) {
    const Value* input = graph->inputs()[graph->inputs().size() - values.size() + place.slot];
    const std::vector<Understood> uses = UnderstandAll(*input, tensor.dim());
    if (uses.empty()) return;
    place.is_bias = uses[0].is_bias;
    for (const Understood& use : uses) place.applications.push_back(NumberOf(use.application));
    parameter.form = uses[0].form;
    if (parameter.form == GradientForm::kWhole) return;
    const auto first = static_cast<size_t>(tensor.size(0));
    const auto second = static_cast<size_t>(tensor.size(1));
    const bool outputs_first = parameter.form == GradientForm::kProducts;
    parameter.inputs = outputs_first ? second : first;
    parameter.outputs = outputs_first ? first : second;
  }
  size_t NumberOf(const Application& application) {
    for (size_t k = 0; k < applications.size(); ++k) {
      if (applications[k].node == application.node) return k;
    }
    applications.push_back(application);
    return applications.size() - 1;
  }
  void WriteDown(const Application& application, bool apart) {
    Node* last = application.node;
    if (apart) {
      last = graph->create(c10::Symbol::fromQualString(kApart), {application.node->output()});
      last->insertAfter(application.node);
      application.node->output()->replaceAllUsesAfterNodeWith(last, last->output());
    }
    for (Value* value : {application.x, last->output()}) {
      Node* list = graph->createList(c10::TensorType::get(), {});
      graph->prependNode(list);
      Node* append = graph->create(c10::Symbol::fromQualString("aten::append"), {list->output(), value});
      append->output()->setType(list->output()->type());
      append->insertAfter(last);
      graph->registerOutput(list->output());
    }
  }
};

LaneGraph::LaneGraph(const Program& program, bool factor) : state_(std::make_unique<State>()) {
  const torch::jit::Module& module = program.module();
  std::tie(state_->graph, state_->values) = torch::jit::LowerGraph(*module.get_method(kLoss).graph(), module._ivalue());
  size_t offset = 0;
  is_apart_ = factor;
  for (const at::Tensor& tensor : program.trainable()) {
    const auto count = static_cast<size_t>(tensor.numel());
    parameters_.push_back({.offset = offset, .count = count});
    places_.push_back({.slot = state_->SlotOf(tensor), .applications = {}});
    if (factor && places_.back().slot != Place::kNowhere) state_->Factor(tensor, places_.back(), parameters_.back());
    if (places_.back().applications.empty() && tensor.dim() > 1) is_apart_ = false;
    offset += count;
  }
  for (const Application& application : state_->applications) state_->WriteDown(application, is_apart_);
  state_->code.emplace(state_->graph, "lanes");
}

LaneGraph::~LaneGraph() = default;

const std::vector<c10::IValue>& LaneGraph::values() const { return state_->values; }
size_t LaneGraph::applications() const { return state_->applications.size(); }
void LaneGraph::Run(std::vector<c10::IValue>& stack) const { torch::jit::InterpreterState(*state_->code).run(stack); }

}  // namespace aisle
