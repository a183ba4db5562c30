#include "store-agent/worker/customers/units.h"

#include <algorithm>
#include <utility>

namespace aisle {

Units Units::Group(std::span<const int64_t> unit_of, std::span<const int64_t> indices, size_t examples_max) {
  std::vector<std::pair<int64_t, int64_t>> owned;  // Unit, index.
  for (const int64_t index : indices) {
    const int64_t unit = unit_of[static_cast<size_t>(index)];
    if (unit >= 0) owned.emplace_back(unit, index);
  }
  std::ranges::sort(owned);
  Units units;
  for (size_t i = 0; i < owned.size(); ++i) {
    if (i == 0 || owned[i].first != owned[i - 1].first) units.begins_.push_back(units.indices_.size());
    if (units.indices_.size() - units.begins_.back() < examples_max) units.indices_.push_back(owned[i].second);
  }
  if (!units.begins_.empty()) units.begins_.push_back(units.indices_.size());
  return units;
}

}  // namespace aisle
