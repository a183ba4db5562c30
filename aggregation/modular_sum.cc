#include "aggregation/modular_sum.h"

#include <algorithm>
#include <functional>

#include "aggregation/fold.h"

namespace aisle {

StatusOr<ModularSum> ModularSum::FromBytes(std::string_view little_endian) {
  ModularSum sum(little_endian.size() / kCoordinateSize);
  AISLE_RETURN_IF_ERROR(sum.AddBytes(little_endian, 0));
  return sum;
}

StatusOr<std::span<uint32_t>> ModularSum::Range(std::string_view little_endian, size_t first_coordinate) {
  if (little_endian.size() % kCoordinateSize != 0) {
    return InvalidArgument("{} bytes are not whole coordinates of {} bytes", little_endian.size(), kCoordinateSize);
  }
  const size_t count = little_endian.size() / kCoordinateSize;
  if (first_coordinate > length() || count > length() - first_coordinate) {
    return InvalidArgument("{} coordinates from {} on run past a vector of {}", count, first_coordinate, length());
  }
  return std::span(values_).subspan(first_coordinate, count);
}

Status ModularSum::AddBytes(std::string_view little_endian, size_t first_coordinate) {
  AISLE_ASSIGN_OR_RETURN(const std::span<uint32_t> range, Range(little_endian, first_coordinate));
  FoldAdd(range.data(), little_endian.data(), range.size());
  return OkStatus();
}

Status ModularSum::SubtractBytes(std::string_view little_endian, size_t first_coordinate) {
  AISLE_ASSIGN_OR_RETURN(const std::span<uint32_t> range, Range(little_endian, first_coordinate));
  FoldSubtract(range.data(), little_endian.data(), range.size());
  return OkStatus();
}

Status ModularSum::Add(std::span<const uint32_t> vector) {
  if (vector.size() != length()) {
    return InvalidArgument("a vector of {} coordinates can't be added to a sum of {}", vector.size(), length());
  }
  // Not through the kernel: a vector may be this sum's own, and adding a sum to itself is fine.
  std::ranges::transform(values_, vector, values_.begin(), std::plus<>());
  return OkStatus();
}

void ModularSum::Clear() { std::ranges::fill(values_, 0U); }

}  // namespace aisle
