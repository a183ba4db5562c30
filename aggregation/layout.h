// Which number of a flat vector belongs to which tensor. Everything Aisle sums, stores or sends is one flat float
// vector plus a Layout; tensors themselves live only in the worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aisle {

// Bounds of a model, checked wherever one enters. 2^28 floats are 1 GiB.
inline constexpr size_t kTensorsMax = 4096;
inline constexpr size_t kTensorNameLengthMax = 256;
inline constexpr size_t kRankMax = 8;
inline constexpr size_t kElementsMax = size_t{1} << 28;

// One tensor: a name as TorchScript writes it ("hidden.weight") and its shape. Rank 0 is a single number.
struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;

  bool operator==(const TensorSpec&) const = default;
};

// Tensors laid back to back, row-major, in the given order. A value: copy it freely. Default-constructed: no tensors.
class Layout {
 public:
  Layout() = default;

  // InvalidArgument, naming the tensor and the limit, for an empty, long or repeated name, a name with characters other
  // than [A-Za-z0-9_.], a negative dimension, or more tensors, dimensions or elements than the bounds above.
  static StatusOr<Layout> Make(std::vector<TensorSpec> specs);

  const std::vector<TensorSpec>& specs() const { return specs_; }
  size_t size() const { return specs_.size(); }
  // Numbers in all tensors together: the length of the flat vector.
  size_t element_count() const { return offsets_.back(); }
  // Tensor `i` is the half-open range [offset(i), offset(i) + element_count(i)) of the flat vector.
  size_t offset(size_t i) const { return offsets_[i]; }
  size_t element_count(size_t i) const { return offsets_[i + 1] - offsets_[i]; }
  // The index of the tensor called `name`.
  std::optional<size_t> Find(std::string_view name) const;

  bool operator==(const Layout& other) const { return specs_ == other.specs_; }

 private:
  std::vector<TensorSpec> specs_;
  std::vector<size_t> offsets_ = {0};  // One more than there are tensors.
  std::map<std::string, size_t, std::less<>> by_name_;
};

}  // namespace aisle
