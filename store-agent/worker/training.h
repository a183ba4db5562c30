// Local training: a few epochs of SGD or Adam on one store's training examples.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/checkpoints.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

// The loss before and after is measured on at most this many training examples, evenly spread.
inline constexpr size_t kLossSampleMax = 1024;

struct TrainingHooks {
  std::function<void(uint32_t step, uint32_t steps_total, double loss)> on_step;  // Called after every step.
  const std::atomic<bool>* stop = nullptr;  // Training ends with Cancelled at the next step once this is true.
  Checkpoints* checkpoints = nullptr;       // May be null.
};

struct TrainingReport {
  double loss_before = 0;
  double loss_after = 0;
  uint32_t steps = 0;
  double seconds_first_batch = 0;  // Since the call.
  double seconds_training = 0;
};

// Trains `program` in place from its present weights. Minimises the mean of `loss` over each batch; batches are drawn
// by shuffling every epoch with `random`; `passes` repeats the whole schedule. PlanError if a loss isn't float
// [examples], isn't finite or doesn't depend on the parameters; Cancelled when stopped; DataLoss if the checkpoint to
// go on from isn't of this training. Going on from one gives the very same as never having stopped: what must come
// before it
// (`random`, the engine's seed, the weights to start from) is as it was then.
StatusOr<TrainingReport> TrainLocally(Program& program, const Examples& examples, const LocalTraining& schedule,
                                      uint32_t passes, RandomSource& random, const TrainingHooks& hooks);

// The mean loss over `indices`, in evaluation mode, without gradients.
StatusOr<double> MeanLoss(Program& program, const Examples& examples, const std::vector<int64_t>& indices);

}  // namespace aisle
