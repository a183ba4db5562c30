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
};
// The request holds exactly these columns; `tables` are emptied as they are copied.
v1::WorkerRequest MakeTrainRequest(WorkerInputs inputs, std::vector<ColumnTable> tables, const SecretBytes& seed);

// The clean update of an answered task; the bytes in `outcome` are wiped. Failed plan_error for another length.
std::variant<SecretVector<int32_t>, TaskEnd> TakeUpdate(WorkerOutcome& outcome, const UpdateShape& shape);

// How a task that wasn't answered ended. Headquarters learns the kind of end and nothing that could quote data.
TaskEnd EndOf(const WorkerOutcome& outcome);

}  // namespace aisle
