// Finished update vectors on the store's disk, waiting to be collected: noised already, one per round, whole or not
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/fleet.h"
#include "base/storage/files.h"

namespace aisle {

// One thread at a time.
class Spool {
 public:
  static StatusOr<Spool> Open(std::string folder);

  // Durable when it returns: 4 bytes per coordinate, little-endian. Replaces what is there for that round.
  StatusOr<BlobName> Write(const RoundId& round, std::span<const uint32_t> values) const;
  // The vector of that round and what it is now, read from the disk; nullopt if there is none.
  StatusOr<std::optional<BlobName>> Find(const RoundId& round) const;
  StatusOr<FileDescriptor> OpenUpdate(const RoundId& round) const;
  Status Drop(const RoundId& round) const;
  // Removes what earlier rounds and interrupted writes left.
  Status DropAllBut(const std::optional<RoundId>& round) const;
  std::string PathOf(const RoundId& round) const;

 private:
  explicit Spool(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace aisle
