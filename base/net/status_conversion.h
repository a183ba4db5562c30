// Statuses over the wire: the code and message as gRPC has them, the reason (base/reason.h) as aisle.v1.ErrorDetail in
// the error details.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"

namespace aisle {

// Messages are cut at this many bytes: gRPC sends them as a header, and headers share 8 KiB.
inline constexpr size_t kWireMessageSizeMax = 2048;

grpc::Status ToGrpc(const Status& status);
// Unknown codes and malformed details lose their meaning, not the error: the code becomes Unknown, the reason
// kUnspecified.
Status FromGrpc(const grpc::Status& status);

}  // namespace aisle
