// Finished update vectors on the store's disk, waiting to be collected: noised already, one per round, whole or not
// there. Under the secure sum the masked vector lies beside it, and only that one is ever sent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/fleet.h"
#include "base/storage/files.h"

namespace aisle {

enum class SpooledVector { kUpdate, kMasked };

// One thread at a time.
class Spool {
 public:
  static StatusOr<Spool> Open(std::string folder);

  // Durable when it returns: 4 bytes per coordinate, little-endian. Replaces what is there for that round.
  StatusOr<BlobName> Write(const RoundId& round, std::span<const uint32_t> values) const;
  // The vector of that round and what it is now, read from the disk; nullopt if there is none.
  StatusOr<std::optional<BlobName>> Find(const RoundId& round) const;
  // Adds masks to the coordinates from `first_coordinate` on; called for every coordinate once, in ascending pieces.
  using Masking = std::function<void(uint64_t first_coordinate, std::span<uint32_t> values)>;
  // Durable when it returns. Reads the round's update piece by piece and leaves it as it is. DataLoss if it isn't
  // `update`: nothing is kept of the masked vector then.
  StatusOr<BlobName> WriteMasked(const RoundId& round, const BlobName& update, const Masking& masking) const;
  StatusOr<FileDescriptor> OpenVector(const RoundId& round, SpooledVector which) const;
  Status Drop(const RoundId& round) const;  // Both.
  // Removes what earlier rounds and interrupted writes left, and masked vectors, which can be made again.
  Status DropAllBut(const std::optional<RoundId>& round) const;
  std::string PathOf(const RoundId& round, SpooledVector which = SpooledVector::kUpdate) const;

 private:
  explicit Spool(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace aisle
