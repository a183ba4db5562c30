#include "aggregation/layout.h"

#include <algorithm>

namespace aisle {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

Status CheckTensorName(const TensorSpec& spec) {
  if (spec.name.empty()) return InvalidArgument("a tensor has no name; give every tensor one");
  if (spec.name.size() > kTensorNameLengthMax) {
    return InvalidArgument("a tensor's name has {} characters; the most is {}", spec.name.size(), kTensorNameLengthMax);
  }
  if (!std::ranges::all_of(spec.name, IsNameCharacter)) {
    return InvalidArgument("a tensor's name holds a character other than letters, digits, '_' and '.'");
  }
  return OkStatus();
}

// The product of the dimensions, each step of which is checked before it is taken: no overflow can hide a huge tensor.
StatusOr<size_t> ElementCount(const TensorSpec& spec) {
  if (spec.shape.size() > kRankMax) {
    return InvalidArgument("tensor {} has {} dimensions; the most is {}", spec.name, spec.shape.size(), kRankMax);
  }
  size_t count = 1;
  for (const int64_t dimension : spec.shape) {
    if (dimension < 0 || dimension > static_cast<int64_t>(kElementsMax)) {
      return InvalidArgument("tensor {} has a dimension of {}; it must be from 0 to {}", spec.name, dimension,
                             kElementsMax);
    }
    count *= static_cast<size_t>(dimension);  // At most 2^28 * 2^28.
    if (count > kElementsMax) {
      return InvalidArgument("tensor {} has over {} numbers; make the model smaller", spec.name, kElementsMax);
    }
  }
  return count;
}

}  // namespace

StatusOr<Layout> Layout::Make(std::vector<TensorSpec> specs) {
  if (specs.size() > kTensorsMax) {
    return InvalidArgument("a model of {} tensors; the most is {}", specs.size(), kTensorsMax);
  }
  Layout layout;
  for (size_t i = 0; i < specs.size(); ++i) {
    AISLE_RETURN_IF_ERROR(CheckTensorName(specs[i]));
    AISLE_ASSIGN_OR_RETURN(const size_t count, ElementCount(specs[i]));
    if (!layout.by_name_.emplace(specs[i].name, i).second) {
      return InvalidArgument("two tensors are called {}; names must differ", specs[i].name);
    }
    layout.offsets_.push_back(layout.offsets_.back() + count);
    if (layout.element_count() > kElementsMax) {
      return InvalidArgument("the model has over {} numbers from tensor {} on; make it smaller", kElementsMax,
                             specs[i].name);
    }
  }
  layout.specs_ = std::move(specs);
  return layout;
}

std::optional<size_t> Layout::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

}  // namespace aisle
