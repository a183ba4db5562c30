#include "aggregation/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/codec.h"

namespace aisle {
namespace {

constexpr std::string_view kMagic = "AISLEW01";
constexpr size_t kAlignment = 64;  // A mapped file's floats then start on a cache line.

size_t Aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

size_t UnpaddedHeaderSize(const Layout& layout) {
  size_t size = kMagic.size() + sizeof(uint32_t);
  for (const TensorSpec& spec : layout.specs()) {
    size += 2 * sizeof(uint32_t) + spec.name.size() + spec.shape.size() * sizeof(int64_t);
  }
  return size;
}

StatusOr<TensorSpec> ReadSpec(ByteReader& reader) {
  TensorSpec spec;
  spec.name = std::string(reader.String(kTensorNameLengthMax));
  const uint32_t rank = reader.U32();
  AISLE_RETURN_IF_ERROR(reader.status("the header of the weights"));
  if (rank > kRankMax) {
    return InvalidArgument("tensor {} has {} dimensions; the most is {}", spec.name, rank, kRankMax);
  }
  for (uint32_t i = 0; i < rank; ++i) spec.shape.push_back(reader.I64());
  return spec;
}

}  // namespace

size_t EncodedWeightsHeaderSize(const Layout& layout) { return Aligned(UnpaddedHeaderSize(layout)); }

size_t EncodedWeightsSize(const Layout& layout) {
  return EncodedWeightsHeaderSize(layout) + layout.element_count() * sizeof(float);
}

std::string EncodeWeights(const Weights& weights) {
  const Layout& layout = weights.layout;
  AISLE_CHECK(weights.values.size() == layout.element_count(), "{} values for a layout of {}", weights.values.size(),
              layout.element_count());
  ByteWriter header;
  header.Raw(kMagic).U32(static_cast<uint32_t>(layout.size()));
  for (const TensorSpec& spec : layout.specs()) {
    header.String(spec.name).U32(static_cast<uint32_t>(spec.shape.size()));
    for (const int64_t dimension : spec.shape) header.I64(dimension);
  }
  std::string bytes = header.Take();
  const size_t data_at = Aligned(bytes.size());
  bytes.resize(data_at + weights.values.size() * sizeof(float));
  if (!weights.values.empty()) {
    std::memcpy(bytes.data() + data_at, weights.values.data(), weights.values.size() * sizeof(float));
  }
  return bytes;
}

StatusOr<Layout> DecodeWeightsLayout(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Raw(kMagic.size()) != kMagic) {
    return DataLoss("these bytes are not weights: they don't begin with {}", kMagic);
  }
  const uint32_t tensors = reader.U32();
  AISLE_RETURN_IF_ERROR(reader.status("the header of the weights"));
  if (tensors > kTensorsMax) return InvalidArgument("weights of {} tensors; the most is {}", tensors, kTensorsMax);
  std::vector<TensorSpec> specs;
  for (uint32_t i = 0; i < tensors; ++i) {
    AISLE_ASSIGN_OR_RETURN(TensorSpec spec, ReadSpec(reader));
    specs.push_back(std::move(spec));
  }
  const size_t header_size = bytes.size() - reader.remaining();
  const std::string_view padding = reader.Raw(Aligned(header_size) - header_size);
  AISLE_RETURN_IF_ERROR(reader.status("the header of the weights"));
  if (!std::ranges::all_of(padding, [](char c) { return c == 0; })) {
    return DataLoss("the padding of the weights' header is not zero");
  }
  return Layout::Make(std::move(specs));
}

StatusOr<Weights> DecodeWeights(std::string_view bytes) {
  AISLE_ASSIGN_OR_RETURN(Layout layout, DecodeWeightsLayout(bytes));
  if (bytes.size() != EncodedWeightsSize(layout)) {
    return DataLoss("weights of {} numbers take {} bytes; these are {}", layout.element_count(),
                    EncodedWeightsSize(layout), bytes.size());
  }
  const std::string_view data = bytes.substr(EncodedWeightsHeaderSize(layout));
  Weights weights{.layout = std::move(layout), .values = {}};
  weights.values.resize(data.size() / sizeof(float));
  if (!data.empty()) std::memcpy(weights.values.data(), data.data(), data.size());
  return weights;
}

Status CheckFinite(const Weights& weights) {
  for (size_t i = 0; i < weights.layout.size(); ++i) {
    const std::span<const float> tensor = weights.tensor(i);
    const auto bad = std::ranges::find_if(tensor, [](float value) { return !std::isfinite(value); });
    if (bad != tensor.end()) {
      return InvalidArgument("tensor {} holds {} at position {}; weights must be finite",
                             weights.layout.specs()[i].name, std::isnan(*bad) ? "NaN" : "an infinity",
                             bad - tensor.begin());
    }
  }
  return OkStatus();
}

}  // namespace aisle
