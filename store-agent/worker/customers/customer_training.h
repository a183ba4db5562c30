// Modes customer and local-sgd: what a store's customers say together, each within the clip.
//
//   mode customer    one draw of customers, one vector each, one sum; the agent adds the noise
//   mode local-sgd   the same at every local step, each noised here at once (Abadi et al. 2016, algorithm 1, with exact
//                    integer noise and a public divisor), so that what follows is post-processing
#pragma once

#include <cstdint>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/customers/customer_examples.h"
#include "store-agent/worker/customers/unit_gradients.h"
#include "store-agent/worker/training.h"

namespace aisle {

// Stays in the store: it says how many customers were there.
struct CustomerReport {
  uint64_t customers = 0;
  uint64_t drawn = 0;  // Over all steps.
  uint64_t examples = 0;
  double seconds_training = 0;
};

// Customers whom `watch` leaves out are drawn like all, and add nothing.
//
// `hooks.checkpoints` may be due between any few customers. Going on from one gives the very same vector; coins, noise
// and the seed of `customers` must begin where they began then. DataLoss if it isn't of this training.

// The update vector of mode customer, on `quantizer`'s grid and without noise. `coins` draws the customers: a
// cryptographic stream, secret, used for nothing else. `program` must hold the broadcast weights, and does so after.
// Cancelled when stopped.
StatusOr<SecretVector<int32_t>> SumOfCustomers(Program& program, CustomerExamples& customers, const Plan& plan,
                                               const UpdateShape& shape, const Quantizer& quantizer,
                                               UnitGradients& gradients, RandomSource& coins,
                                               const TrainingHooks& hooks, CustomerWatch& watch,
                                               CustomerReport& report);

// The update vector of mode local-sgd: noised at every step with `noise`, a cryptographic stream of a key that no other
// attempt ever had; a debit for all steps must be durable before the call. Leaves the trained weights in `program`.
StatusOr<SecretVector<int32_t>> TrainWithLocalSgd(Program& program, CustomerExamples& customers, const Plan& plan,
                                                  const UpdateShape& shape, const Quantizer& quantizer,
                                                  UnitGradients& gradients, RandomSource& coins, RandomSource& noise,
                                                  const TrainingHooks& hooks, CustomerWatch& watch,
                                                  CustomerReport& report);

}  // namespace aisle
