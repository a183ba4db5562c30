// `aisle explain`, answered from the coordinator's records and what it holds this moment.
#pragma once

#include "aisle/v1/admin.pb.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

// Only within Coordinator::Read. NotFound: no such round, store or job. InvalidArgument: none was named.
StatusOr<v1::Explanation> Explain(const Coordinator& coordinator, const v1::ExplainRequest& request);

}  // namespace aisle
