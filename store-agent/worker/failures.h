// What can go wrong in a task, as status codes that become WorkerFailure reasons in one place.
#pragma once

#include <utility>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"

namespace aisle {

// The plan doesn't parse, doesn't compile, or uses an operator that isn't allowed.
template <typename... Args>
Status PlanInvalid(fmt::format_string<Args...> format, Args&&... args) {
  return MakeStatus(StatusCode::kFailedPrecondition, fmt::format(format, std::forward<Args>(args)...));
}

// The plan raised an error, or returned wrong shapes or non-finite values.
template <typename... Args>
Status PlanError(fmt::format_string<Args...> format, Args&&... args) {
  return MakeStatus(StatusCode::kOutOfRange, fmt::format(format, std::forward<Args>(args)...));
}

// InvalidArgument, DataLoss and the like are the request's own mistakes; Cancelled is a stop; ResourceExhausted the
// cap.
v1::WorkerFailure::Reason WorkerReasonOf(const Status& status);

}  // namespace aisle
