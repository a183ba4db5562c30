// How a stream is cut into messages.
//
// Whatever a cut link has delivered of a message is lost: gRPC hands over whole messages only. On a link that can't be
// trusted a message is therefore at most a sixteenth of what its stream has carried before it, but kPieceMin, so that a
// cut costs at most that much; on a good link messages grow to kChunkSize within the first four megabytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/fleet.h"

namespace aisle {

inline constexpr uint64_t kPieceMin = 8 << 10;  // Bytes: one second at 64 kbit/s.

// Bytes to put into the next message of a stream that has carried `carried` bytes.
inline uint64_t PieceSize(bool careful, uint64_t carried) {
  return careful ? std::clamp(carried / 16, kPieceMin, kChunkSize) : kChunkSize;
}

}  // namespace aisle
