// What a worker is handed, and what its end means to headquarters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aggregation/update_shape.h"
#include "aisle/v1/worker.pb.h"
#include "base/secret.h"
#include "store-agent/driver/task_steps.h"
#include "store-agent/supervisor/outcome.h"
#include "store-agent/tables/columns.h"

namespace aisle {

struct WorkerInputs {
  std::string bundle;   // Canonical bytes.
  std::string weights;  // Flat tensor format.
  uint32_t threads = 1;
  double clip_norm = 0;    // Of the round; 0: the plan's own.
  SecretBytes noise_seed;  // Mode local-sgd only.
};
// The request holds exactly these columns; `tables` are emptied as they are copied.
v1::WorkerRequest MakeTrainRequest(WorkerInputs inputs, std::vector<ColumnTable> tables, const SecretBytes& seed);

// The same task as if the store had no rows at all.
void RemoveRows(v1::WorkerRequest& request);

// Whether a task ended as it did because of the rows it was given, as far as anybody can tell.
bool MayDependOnRows(WorkerEnd end);

// The clean update of an answered task; the bytes in `outcome` are wiped. Failed plan_error for another length.
std::variant<SecretVector<int32_t>, TaskEnd> TakeUpdate(WorkerOutcome& outcome, const UpdateShape& shape);

// How a task that wasn't answered ended. Headquarters learns the kind of end and nothing that could quote data.
TaskEnd EndOf(const WorkerOutcome& outcome);

}  // namespace aisle
