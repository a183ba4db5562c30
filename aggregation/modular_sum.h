// The one accumulator of a round: a sum of vectors in Z_2^32. Exact and order-free, so it is bit-identical over
// restarts, replicas and arrival orders, and its memory doesn't depend on the number of stores.
//
// Bytes are folded as they arrive, unaligned and in any order of ranges; an upload is folded only once it has been
// verified, or taken out again by SubtractBytes. Not thread-safe; disjoint ranges still share one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aisle {

class ModularSum {
 public:
  static constexpr size_t kCoordinateSize = 4;  // Bytes on the wire: little-endian uint32.

  // All zero.
  explicit ModularSum(size_t length) : values_(length) {}
  // A partial sum written by bytes(). InvalidArgument unless whole coordinates.
  static StatusOr<ModularSum> FromBytes(std::string_view little_endian);

  size_t length() const { return values_.size(); }

  // Adds (takes away) the coordinates in `little_endian` from `first_coordinate` on. InvalidArgument, and nothing
  // changed, unless they are whole coordinates inside the vector.
  Status AddBytes(std::string_view little_endian, size_t first_coordinate);
  Status SubtractBytes(std::string_view little_endian, size_t first_coordinate);
  // The whole vector at once; the lengths must agree (InvalidArgument).
  Status Add(std::span<const uint32_t> vector);
  Status Add(const ModularSum& partial) { return Add(partial.values()); }
  void Clear();

  std::span<const uint32_t> values() const { return values_; }
  // For taking masks out of the sum, in place.
  std::span<uint32_t> mutable_values() { return values_; }
  // The sum as bytes of the wire, valid until the sum changes.
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(values_.data()), values_.size() * kCoordinateSize};
  }
  // The representative in [-2^31, 2^31): the true sum, given the quantizer's headroom.
  int32_t Centered(size_t i) const { return static_cast<int32_t>(values_[i]); }

  bool operator==(const ModularSum&) const = default;

 private:
  StatusOr<std::span<uint32_t>> Range(std::string_view little_endian, size_t first_coordinate);

  std::vector<uint32_t> values_;
};

}  // namespace aisle
