// One task of the unit customer, from rows to update vector.
#pragma once

#include <memory>
#include <string>

#include "aisle/v1/worker.pb.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/customers/customer_watch.h"
#include "store-agent/worker/customers/unit_gradients.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"
#include "store-agent/worker/training.h"

namespace aisle {

// What is found out about a plan once, before any row is read, and kept while it stays loaded.
struct CustomerWays {
  std::string form;  // Of every customer's examples; see ExpectedForm.
  std::string way;   // How `gradients` goes, and why not faster: for a log line.
  std::unique_ptr<UnitGradients> gradients;

  // PlanError if prepare() fails on made-up rows.
  static StatusOr<CustomerWays> Of(Program& program, const Plan& plan);
};

struct CustomerTask {
  Plan plan;  // With the clipping norm of the round.
  const TableRows& tables;
  const std::string& seed;        // 32 bytes: coins and the program's own randomness.
  const std::string& noise_seed;  // 32 bytes for mode local-sgd.
  CustomerWatch& watch;
};

// The clipped sum over the customers drawn: without noise in mode customer, noised in mode local-sgd. `program` holds
// the broadcast weights. Whatever the rows are, there is a result: customers whose rows the plan can't digest add
// nothing. InvalidArgument for a malformed task, PlanError for what doesn't depend on rows, Cancelled when stopped.
StatusOr<SecretVector<int32_t>> RunCustomerTask(Program& program, const CustomerTask& task, CustomerWays& ways,
                                                RandomSource& random, const TrainingHooks& hooks,
                                                v1::TrainResult& result);

}  // namespace aisle
