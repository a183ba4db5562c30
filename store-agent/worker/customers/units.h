// Whose example is whose: a store's training examples, grouped by the `unit` that prepare() gave each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace aisle {

class Units {
 public:
  // Groups `indices` by `unit_of` each (one per example of the store). A negative unit is nobody: its examples are left
  // out, since nothing protects them. Of each unit at most `examples_max` examples are kept, the first by index: which
  // ones depends on that unit's own rows alone. Units come in ascending order of their number, so that the same rows
  // make the same order.
  static Units Group(std::span<const int64_t> unit_of, std::span<const int64_t> indices, size_t examples_max);

  size_t size() const { return begins_.empty() ? 0 : begins_.size() - 1; }
  // Indices of unit `i`'s examples, ascending; at least one.
  std::span<const int64_t> examples(size_t i) const {
    return std::span(indices_).subspan(begins_[i], begins_[i + 1] - begins_[i]);
  }

 private:
  std::vector<int64_t> indices_;
  std::vector<size_t> begins_;  // One more than there are units, or empty.
};

}  // namespace aisle
