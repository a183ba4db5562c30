#include "store-agent/worker/graph_check.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/script.h>

#include <algorithm>
#include <array>
#include <vector>

#include "store-agent/worker/failures.h"
#include "store-agent/worker/operators.h"

namespace aisle {

namespace {

using torch::jit::Block;
using torch::jit::Module;
using torch::jit::Node;

constexpr size_t kRefusalsMax = 20;
constexpr int kCallDepthMax = 64;

enum class Kind : uint8_t { kTables, kBatch, kTensor };  // Dict[str, Dict[str, Tensor]], Dict[str, Tensor], Tensor.

c10::TypePtr TypeOf(Kind kind) {
  const c10::TypePtr tensor = c10::TensorType::get();
  if (kind == Kind::kTensor) return tensor;
  const c10::TypePtr batch = c10::DictType::create(c10::StringType::get(), tensor);
  return kind == Kind::kBatch ? batch : c10::DictType::create(c10::StringType::get(), batch);
}

struct MethodNeed {
  const char* name;
  Kind argument;
  Kind result;
};
constexpr std::array<MethodNeed, 4> kMethods = {{{kPrepare, Kind::kTables, Kind::kBatch},
                                                 {kLoss, Kind::kBatch, Kind::kTensor},
                                                 {kMetrics, Kind::kBatch, Kind::kBatch},
                                                 {kPredict, Kind::kBatch, Kind::kBatch}}};

Status CheckSignature(const c10::FunctionSchema& schema, const MethodNeed& need) {
  const std::string wanted =
      fmt::format("def {}(self, _: {}) -> {}", need.name, TypeOf(need.argument)->annotation_str(),
                  TypeOf(need.result)->annotation_str());
  if (schema.arguments().size() != 2 || schema.returns().size() != 1 ||
      !schema.arguments()[1].type()->isSubtypeOf(*TypeOf(need.argument)) ||
      !schema.returns()[0].type()->isSubtypeOf(*TypeOf(need.result))) {
    return PlanInvalid("the method {} has the wrong types; it must be {}", need.name, wanted);
  }
  return OkStatus();
}

std::string WhereIs(const Node& node) {
  const auto place = node.sourceRange().file_line_col();
  return place ? fmt::format(" (line {})", std::get<1>(*place)) : "";
}

bool UsesBatchStatistics(const Node& node) {
  const auto training = torch::jit::toIValue(node.namedInput("training"));
  return !training || !training->isBool() || training->toBool();
}

// The function that a call node calls; null if that is known only when it runs.
const torch::jit::Function* CalleeOf(const Node& node) {
  const c10::TypePtr type = node.input(0)->type();
  if (node.kind() == c10::prim::CallFunction) {
    const auto function = type->cast<c10::FunctionType>();
    return function == nullptr ? nullptr : function->function();
  }
  const auto object = type->cast<c10::ClassType>();
  return object == nullptr ? nullptr : object->findMethod(node.s(c10::attr::name));
}

class Walk {
 public:
  void Visit(const torch::jit::Function& function) {
    if (!visited_.insert(&function).second) return;
    const auto* graph_function = torch::jit::tryToGraphFunction(const_cast<torch::jit::Function&>(function));
    if (graph_function == nullptr) {
      refusals_.push_back(fmt::format("{}: it isn't TorchScript", function.name()));
    } else {
      Visit(*graph_function->graph()->block());
    }
  }
  const std::set<std::string>& operators() const { return operators_; }
  const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  void Visit(const Block& block) {
    for (const Node* node : block.nodes()) {
      Check(*node);
      for (const Block* inner : node->blocks()) Visit(*inner);
    }
  }
  void Check(const Node& node) {
    if (node.kind() == c10::prim::CallMethod || node.kind() == c10::prim::CallFunction) {
      if (const torch::jit::Function* callee = CalleeOf(node)) return Visit(*callee);
    }
    if (node.kind() == c10::prim::Constant) return CheckConstant(node);
    const std::string name = node.kind().toQualString();
    const bool first = operators_.insert(name).second;
    if (name == "aten::batch_norm" && UsesBatchStatistics(node)) {
      return Refuse(name, node, "it looks at the whole batch; use group_norm or layer_norm, or give training=False");
    }
    if (first && !IsAllowedOperator(name)) Refuse(name, node, HintFor(name));
    for (const torch::jit::Symbol attribute : node.attributeNames()) CheckAttribute(node, attribute);
  }
  // A function may also be handed around as a constant.
  void CheckConstant(const Node& node) {
    const auto function = node.output()->type()->cast<c10::FunctionType>();
    if (function != nullptr) Visit(*function->function());
  }
  // Graphs may hide in attributes too.
  void CheckAttribute(const Node& node, torch::jit::Symbol attribute) {
    if (node.kindOf(attribute) == torch::jit::AttributeKind::g) Visit(*node.g(attribute)->block());
    if (node.kindOf(attribute) == torch::jit::AttributeKind::gs) {
      for (const auto& graph : node.gs(attribute)) Visit(*graph->block());
    }
  }
  void Refuse(const std::string& name, const Node& node, std::string_view hint) {
    refusals_.push_back(fmt::format("{}{}{}{}", name, WhereIs(node), hint.empty() ? "" : ": ", hint));
  }
  std::set<const torch::jit::Function*> visited_;
  std::set<std::string> operators_;
  std::vector<std::string> refusals_;
};

bool HasCalls(const Block& block) {
  return std::ranges::any_of(block.nodes(), [](const Node* node) {
    return node->kind() == c10::prim::CallMethod || node->kind() == c10::prim::CallFunction ||
           std::ranges::any_of(node->blocks(), [](const Block* inner) { return HasCalls(*inner); });
  });
}

// The function's graph with all that it calls inlined; null if calls go over kCallDepthMax deep. One pass of Inline
// goes one call deep, as the engine runs graphs as they are. TorchScript knows no recursion.
std::shared_ptr<torch::jit::Graph> WholeGraph(const torch::jit::Function& function) {
  std::shared_ptr<torch::jit::Graph> graph = torch::jit::toGraphFunction(function).graph()->copy();
  for (int depth = 0; depth < kCallDepthMax && HasCalls(*graph->block()); ++depth) torch::jit::Inline(*graph);
  return HasCalls(*graph->block()) ? nullptr : graph;
}

// The first node in `graph` whose value is kept in the module, as `is_kept` says, and may be written into, or share
// memory with something that is; null if there is none.
template <typename IsKept>
const Node* FirstWritten(const std::shared_ptr<torch::jit::Graph>& graph, IsKept is_kept) {
  const torch::jit::AliasDb aliases(graph);
  std::vector<const Block*> blocks = {graph->block()};
  while (!blocks.empty()) {
    const Block* block = blocks.back();
    blocks.pop_back();
    for (const Node* node : block->nodes()) {
      for (const Block* inner : node->blocks()) blocks.push_back(inner);
      if (is_kept(*node) && aliases.hasWriters(node->output())) return node;
    }
  }
  return nullptr;
}

bool IsTensorAttribute(const Node& node) {
  return node.kind() == c10::prim::GetAttr && node.output()->type()->isSubtypeOf(*c10::TensorType::get());
}

// Whether anything is written that could be, or share memory with, a parameter or buffer of the module.
bool MayWriteAttributes(const torch::jit::Function& function) {
  const std::shared_ptr<torch::jit::Graph> graph = WholeGraph(function);
  return graph == nullptr || FirstWritten(graph, IsTensorAttribute) != nullptr;
}

// Lists and dictionaries kept in the module, and constants of an archive's graph, have no version counter that would
// tell of a write (Program::SavedState), so nothing may write into them.
bool IsUncountedState(const Node& node) {
  if (node.kind() == c10::prim::Constant) return true;
  if (node.kind() != c10::prim::GetAttr) return false;
  const c10::TypePtr type = node.output()->type();
  return !type->isSubtypeOf(*c10::TensorType::get()) && type->cast<c10::ClassType>() == nullptr;
}

Status CheckKeepsNoState(const torch::jit::Function& function) {
  const std::shared_ptr<torch::jit::Graph> graph = WholeGraph(function);
  if (graph == nullptr) {
    return PlanInvalid("the method {} calls methods that call others over {} deep", function.name(), kCallDepthMax);
  }
  const Node* written = FirstWritten(graph, IsUncountedState);
  if (written == nullptr) return OkStatus();
  return PlanInvalid(
      "the method {} writes into a constant or a list of its module{}: a plan keeps no state between calls",
      function.name(), WhereIs(*written));
}

// Operators that draw from the random stream, as the allow-list names them.
bool DrawsRandomNumbers(const std::set<std::string>& operators) {
  static constexpr std::array<std::string_view, 16> kRandom = {
      "bernoulli",   "cauchy", "dropout", "exponential", "feature_dropout", "geometric", "log_normal", "lstm", "gru",
      "multinomial", "normal", "poisson", "rand",        "random",          "rrelu",     "uniform"};
  return std::ranges::any_of(operators, [](const std::string& name) {
    return std::ranges::any_of(kRandom, [&](std::string_view part) { return name.find(part) != std::string::npos; });
  });
}

}  // namespace

bool KeepsUnitsApart(const Module& module, const std::set<std::string>& operators) {
  return !DrawsRandomNumbers(operators) && !MayWriteAttributes(module.get_method(kLoss).function()) &&
         !MayWriteAttributes(module.get_method(kMetrics).function());
}

StatusOr<std::set<std::string>> CheckProgram(const Module& module) {
  Walk walk;
  for (const MethodNeed& need : kMethods) {
    const auto method = module.find_method(need.name);
    if (!method) return PlanInvalid("the program has no method {}", need.name);
    AISLE_RETURN_IF_ERROR(CheckSignature(method->function().getSchema(), need));
    walk.Visit(method->function());
  }
  std::vector<std::string> refusals = walk.refusals();
  if (refusals.empty()) {
    for (const MethodNeed& need : kMethods) {
      AISLE_RETURN_IF_ERROR(CheckKeepsNoState(module.get_method(need.name).function()));
    }
    return walk.operators();
  }
  const size_t all = refusals.size();
  refusals.resize(std::min(all, kRefusalsMax));
  return PlanInvalid("the program uses {} operator{} that a plan may not use:\n  {}", all, all == 1 ? "" : "s",
                     fmt::join(refusals, "\n  "));
}

}  // namespace aisle
