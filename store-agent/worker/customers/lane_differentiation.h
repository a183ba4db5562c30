// One run of a LaneGraph and its gradient, over lanes that can't see one another.
#pragma once

#include <cstdint>
#include <vector>

#include "store-agent/worker/customers/lane_graph.h"

namespace at {
class Tensor;
}
namespace c10 {
struct IValue;
}

namespace aisle {

// All tensors are [lanes, ...].
struct LaneOutcome {
  std::vector<at::Tensor> whole;                // By parameter; undefined if it comes by applications.
  std::vector<std::vector<at::Tensor>> inputs;  // By application, each time it was come by.
  std::vector<std::vector<at::Tensor>> outputs_gradient;
};

// Runs `loss` with one example of `batch` in each of `lanes` lanes, and differentiates each lane's loss. Throws what
// LibTorch throws; call it under Guarded (engine.h).
//
// Where the graph is_apart(), vmap is only in the way forward: it turns each operator into one over all lanes that
// keeps them apart, and the gradient of what it made is taken plainly, which costs a third. Otherwise the gradient is
// taken in the lane (functorch's vmap of grad), because the gradient of a weight that all lanes share would be the sum
// over lanes, and giving each lane its own copy makes large weights slow.
LaneOutcome DifferentiateLanes(const LaneGraph& graph, const c10::IValue& batch, int64_t lanes);

}  // namespace aisle
