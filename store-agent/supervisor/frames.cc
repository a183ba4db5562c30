#include "store-agent/supervisor/frames.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/storage/files.h"

namespace aisle {

namespace {

Status CheckSize(uint32_t size, uint32_t size_max) {
  if (size == 0) return InvalidArgument("a frame of 0 bytes");
  if (size > size_max) return InvalidArgument("a frame of {} bytes; the limit is {}", size, size_max);
  return OkStatus();
}

// Fills `size` bytes; returns how many came before the end of the input.
StatusOr<size_t> ReadUpTo(int fd, char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(fd, data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read from", "the parent's pipe");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace

std::string FrameHeader(uint32_t size) {
  std::string header(kFrameHeaderSize, '\0');
  std::memcpy(header.data(), &size, sizeof size);
  return header;
}

StatusOr<std::optional<std::string>> FrameAssembler::Next() {
  if (buffer_.size() < kFrameHeaderSize) return std::nullopt;
  uint32_t size = 0;
  std::memcpy(&size, buffer_.data(), sizeof size);
  AISLE_RETURN_IF_ERROR(CheckSize(size, size_max_));
  if (buffer_.size() - kFrameHeaderSize < size) return std::nullopt;
  const auto first = buffer_.begin() + kFrameHeaderSize;
  std::string message(first, first + size);
  buffer_.erase(buffer_.begin(), first + size);
  return std::optional<std::string>(std::move(message));
}

StatusOr<std::string> ReadFrame(int fd, uint32_t size_max) {
  uint32_t size = 0;
  AISLE_ASSIGN_OR_RETURN(const size_t header, ReadUpTo(fd, reinterpret_cast<char*>(&size), sizeof size));
  if (header == 0) return OutOfRange("the parent closed its pipe");
  if (header < sizeof size) return DataLoss("the parent's pipe ended within a frame's length");
  AISLE_RETURN_IF_ERROR(CheckSize(size, size_max));
  std::string message(size, '\0');
  AISLE_ASSIGN_OR_RETURN(const size_t got, ReadUpTo(fd, message.data(), message.size()));
  if (got < message.size()) return DataLoss("the parent's pipe ended {} bytes into a frame of {}", got, size);
  return message;
}

Status WriteFrame(int fd, std::string_view message) {
  constexpr size_t kOneWriteMax = 4096;  // Small frames are many, and a write costs more than a copy.
  const std::string header = FrameHeader(static_cast<uint32_t>(message.size()));
  if (message.size() <= kOneWriteMax) return WriteAll(fd, header + std::string(message), "the parent's pipe");
  AISLE_RETURN_IF_ERROR(WriteAll(fd, header, "the parent's pipe"));
  return WriteAll(fd, message, "the parent's pipe");
}

}  // namespace aisle
