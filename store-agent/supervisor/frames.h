// Frames between a parent and its worker: a little-endian uint32 length, then that many bytes of one message of
// proto/aisle/v1/worker.proto. The parent trusts nothing it reads: every length is checked before memory is given to
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/status.h"

namespace aisle {

inline constexpr size_t kFrameHeaderSize = 4;
// A request holds a bundle, weights and a store's columns; protobuf itself ends at 2 GiB.
inline constexpr uint32_t kRequestFrameMax = 0x7fff0000;
// A checkpoint comes in pieces of this size at most.
inline constexpr uint32_t kCheckpointPieceMax = 1 << 20;
// What a reply may add to the vectors it was asked for.
inline constexpr uint32_t kReplyFrameSlack = 1 << 20;

std::string FrameHeader(uint32_t size);

// Puts frames together from pieces of any size, and wipes what it held. Not thread-safe.
class FrameAssembler {
 public:
  explicit FrameAssembler(uint32_t size_max) : size_max_(size_max) {}

  void Append(std::string_view bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  // The next whole frame's message; nothing if more bytes are needed. InvalidArgument once a frame says it is empty or
  // longer than the limit: the stream can't be read any further then.
  StatusOr<std::optional<std::string>> Next();
  // No byte of an unfinished frame is left.
  bool idle() const { return buffer_.empty(); }

 private:
  uint32_t size_max_;
  std::vector<char, WipingAllocator<char>> buffer_;
};

// Blocking, for the worker's side. ReadFrame gives OutOfRange at a clean end of input, DataLoss in the middle of a
// frame.
StatusOr<std::string> ReadFrame(int fd, uint32_t size_max);
Status WriteFrame(int fd, std::string_view message);

}  // namespace aisle
