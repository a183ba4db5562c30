// A model's weights, and the flat tensor format they travel and rest in: hashed, signed, resumable by byte offset, and
// readable by anything that can read little-endian floats. No pickle, no archive, nothing to execute.
//
//   "AISLEW01"                                  8 bytes
//   u32 tensor count
//   per tensor: u32 name length, name, u32 rank, rank x i64 dimension
//   zero bytes up to a multiple of 64
//   all float32, little-endian, tensor after tensor, row-major
//
// Every value has exactly one encoding, so equal weights have equal SHA-256 names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/layout.h"
#include "base/status.h"

namespace aisle {

struct Weights {
  Layout layout;
  std::vector<float> values;  // layout.element_count() of them.

  std::span<const float> tensor(size_t i) const {
    return std::span(values).subspan(layout.offset(i), layout.element_count(i));
  }
  std::span<float> tensor(size_t i) { return std::span(values).subspan(layout.offset(i), layout.element_count(i)); }
  bool operator==(const Weights&) const = default;
};

// The size of the encoding in bytes, and of what comes before its first float.
size_t EncodedWeightsSize(const Layout& layout);
size_t EncodedWeightsHeaderSize(const Layout& layout);

// `weights.values` must fit its layout (AISLE_CHECK).
std::string EncodeWeights(const Weights& weights);

// DataLoss if the bytes are not exactly one encoding; InvalidArgument if they encode a layout over its bounds. Memory
// asked for never exceeds what `bytes` could hold. Values may be any float, NaN too: see CheckFinite.
StatusOr<Weights> DecodeWeights(std::string_view bytes);

// Only the layout, from an encoding or from as much of its beginning as holds the header; for dry runs and inspection.
StatusOr<Layout> DecodeWeightsLayout(std::string_view bytes);

// InvalidArgument naming the tensor and the position of the first NaN or infinity.
Status CheckFinite(const Weights& weights);

}  // namespace aisle
