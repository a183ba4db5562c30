// Local optimizers on one flat vector, equal in result to torch.optim's SGD and Adam on its pieces.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/checkpoints.h"

namespace at {
class Tensor;
}

namespace aisle {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Moves `parameters` against `gradient` (both flat float tensors of one length), which it may overwrite.
  virtual void Step(at::Tensor& parameters, at::Tensor& gradient) = 0;

  // What later steps depend on, and its way back into a new optimizer of the same schedule: then they are the same, bit
  // for bit. DataLoss unless it is what one for `length` parameters wrote.
  virtual void Save(CheckpointWriter& out) const = 0;
  virtual Status Load(CheckpointReader& in, size_t length) = 0;
};

// SGD with momentum (Sutskever et al. 2013, in PyTorch's form) or Adam (Kingma & Ba 2015, beta 0.9 and 0.999, eps
// 1e-8).
std::unique_ptr<Optimizer> MakeOptimizer(const LocalTraining& schedule);

}  // namespace aisle
