#include "store-agent/worker/customers/lane_differentiation.h"

#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <ATen/functorch/TensorWrapper.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/script.h>

#include <algorithm>
#include <utility>

namespace aisle {
namespace {

using Stack = std::vector<c10::IValue>;
using TensorLists = std::vector<std::vector<at::Tensor>>;

// Pops its layer whatever happens.
class Layer {
 public:
  static Layer Vmap(int64_t lanes) {
    return Layer(at::functorch::initAndPushDynamicLayer(at::functorch::TransformType::Vmap, lanes,
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

// [lanes, ...], the same for each.
at::Tensor ForEach(int64_t lanes, const at::Tensor& tensor) {
  std::vector<int64_t> sizes = {lanes};
  sizes.insert(sizes.end(), tensor.sizes().begin(), tensor.sizes().end());
  return tensor.unsqueeze(0).expand(sizes);
}

// [lanes, ...], whether or not it differs between them.
at::Tensor OutOfVmap(const at::Tensor& tensor, int64_t lanes) {
  const auto* batched = at::functorch::maybeGetBatchedImpl(tensor);
  return batched == nullptr ? ForEach(lanes, tensor) : batched->value().movedim(batched->bdim(), 0);
}
void LeaveVmap(TensorLists& lists, int64_t lanes) {
  for (std::vector<at::Tensor>& list : lists) {
    for (at::Tensor& tensor : list) tensor = OutOfVmap(tensor, lanes);
  }
}

c10::Dict<std::string, at::Tensor> InLanes(const c10::IValue& batch, const Layer& vmap) {
  c10::Dict<std::string, at::Tensor> lanes;
  for (const auto& entry : batch.toGenericDict()) {
    const at::Tensor alone = entry.value().toTensor().unsqueeze(1);  // In a lane: one example.
    lanes.insert(entry.key().toStringRef(), at::functorch::addBatchDim(alone, 0, vmap.level()));
  }
  return lanes;
}

at::Tensor LossOf(const Stack& stack) {
  const at::Tensor losses = stack[0].toTensor();
  if (losses.dim() == 1 && losses.size(0) == 1 && losses.is_floating_point()) return losses;
  C10_THROW_ERROR(ValueError, "loss didn't return one float for one example");
}

TensorLists InputsOf(const LaneGraph& graph, const Stack& stack) {
  TensorLists lists;
  for (size_t k = 0; k < graph.applications(); ++k) lists.push_back(stack[1 + 2 * k].toTensorVector());
  return lists;
}
TensorLists OutputsOf(const LaneGraph& graph, const Stack& stack) {
  TensorLists lists;
  for (size_t k = 0; k < graph.applications(); ++k) lists.push_back(stack[2 + 2 * k].toTensorVector());
  return lists;
}

bool IsSought(const LaneGraph::Place& place) {
  return place.slot != LaneGraph::Place::kNowhere && place.applications.empty();
}

// The gradients of `loss` by `whole` (one for each place that is sought), then by all of `outputs`: into `outcome`.
void Differentiate(const LaneGraph& graph, const at::Tensor& loss, const std::vector<at::Tensor>& whole,
                   const TensorLists& outputs, LaneOutcome& outcome) {
  std::vector<at::Tensor> sought = whole;
  for (const std::vector<at::Tensor>& list : outputs) sought.insert(sought.end(), list.begin(), list.end());
  const auto found = torch::autograd::grad({loss.sum()}, sought, {}, c10::nullopt, false, true);
  size_t next = 0;
  const auto take = [&] {
    const size_t i = next++;
    return found[i].defined() ? found[i] : at::zeros_like(sought[i]);
  };
  for (const LaneGraph::Place& place : graph.places()) outcome.whole.push_back(IsSought(place) ? take() : at::Tensor());
  for (const std::vector<at::Tensor>& list : outputs) {
    std::vector<at::Tensor>& gradients = outcome.outputs_gradient.emplace_back();
    for (size_t i = 0; i < list.size(); ++i) gradients.push_back(take());
  }
}

// What vmap left behind, differentiated after it is gone.
LaneOutcome RunApart(const LaneGraph& graph, const c10::IValue& batch, int64_t lanes) {
  const at::AutoGradMode with_grad(true);
  LaneOutcome outcome;
  std::vector<at::Tensor> whole;
  TensorLists outputs;
  std::vector<std::vector<int64_t>> lane_dimensions;
  at::Tensor loss;
  {
    const Layer vmap = Layer::Vmap(lanes);
    Stack stack = {InLanes(batch, vmap)};
    for (const c10::IValue& value : graph.values()) {
      stack.push_back(value.isTensor() ? c10::IValue(value.toTensor().detach()) : value);
    }
    for (const LaneGraph::Place& place : graph.places()) {
      if (place.slot == LaneGraph::Place::kNowhere) continue;
      c10::IValue& value = stack[1 + place.slot];
      if (IsSought(place)) {
        whole.push_back(ForEach(lanes, value.toTensor()).set_requires_grad(true));
        value = at::functorch::addBatchDim(whole.back(), 0, vmap.level());
      } else {
        value.toTensor().set_requires_grad(true);
      }
    }
    graph.Run(stack);
    loss = OutOfVmap(LossOf(stack), lanes);
    outcome.inputs = InputsOf(graph, stack);
    LeaveVmap(outcome.inputs, lanes);
    outputs = OutputsOf(graph, stack);
    for (std::vector<at::Tensor>& list : outputs) {
      std::vector<int64_t>& dimensions = lane_dimensions.emplace_back();
      for (at::Tensor& output : list) {
        const auto* batched = at::functorch::maybeGetBatchedImpl(output);
        TORCH_CHECK(batched != nullptr, "lanes share the output of a weight");
        dimensions.push_back(batched->bdim());
        output = at::Tensor(batched->value());  // As it is in the graph of gradients: a view of it wouldn't be.
      }
    }
  }
  Differentiate(graph, loss, whole, outputs, outcome);
  for (size_t k = 0; k < outputs.size(); ++k) {
    for (size_t i = 0; i < outputs[k].size(); ++i) {
      at::Tensor& gradient = outcome.outputs_gradient[k][i];
      gradient = gradient.movedim(lane_dimensions[k][i], 0);
    }
  }
  return outcome;
}

// In a lane, inside of vmap.
LaneOutcome RunInLane(const LaneGraph& graph, const c10::Dict<std::string, at::Tensor>& lanes) {
  const std::vector<c10::IValue>& values = graph.values();
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
  std::vector<at::Tensor> whole;
  for (const LaneGraph::Place& place : graph.places()) {
    if (place.slot == LaneGraph::Place::kNowhere) continue;
    at::Tensor parameter = stack[1 + place.slot].toTensor();
    parameter.set_requires_grad(true);
    if (IsSought(place)) whole.push_back(parameter);
  }
  graph.Run(stack);
  LaneOutcome outcome;
  Differentiate(graph, LossOf(stack), whole, OutputsOf(graph, stack), outcome);
  outcome.inputs = InputsOf(graph, stack);
  for (at::Tensor& gradient : outcome.whole) gradient = gradient.defined() ? OutOfGrad(gradient) : gradient;
  for (TensorLists* lists : {&outcome.inputs, &outcome.outputs_gradient}) {
    for (std::vector<at::Tensor>& list : *lists) std::ranges::transform(list, list.begin(), OutOfGrad);
  }
  return outcome;
}

LaneOutcome RunWithGrad(const LaneGraph& graph, const c10::IValue& batch, int64_t lanes) {
  const Layer vmap = Layer::Vmap(lanes);
  LaneOutcome outcome = RunInLane(graph, InLanes(batch, vmap));
  for (at::Tensor& gradient : outcome.whole) gradient = gradient.defined() ? OutOfVmap(gradient, lanes) : gradient;
  LeaveVmap(outcome.inputs, lanes);
  LeaveVmap(outcome.outputs_gradient, lanes);
  return outcome;
}

}  // namespace

LaneOutcome DifferentiateLanes(const LaneGraph& graph, const c10::IValue& batch, int64_t lanes) {
  return graph.is_apart() ? RunApart(graph, batch, lanes) : RunWithGrad(graph, batch, lanes);
}

}  // namespace aisle
