#include "privacy/secagg/mask.h"

#include <algorithm>
#include <array>
#include <vector>

#include "aggregation/fold.h"
#include "base/check.h"
#include "base/crypto/aes_ctr.h"

namespace aisle::secagg {
namespace {

constexpr uint64_t kCoordinateSize = sizeof(uint32_t);
// In coordinates. A step of mask and as much of the vector fit the first-level cache. A piece of the vector fits the
// second-level one, and is long enough that going from mask to mask, each with a cipher of its own, costs little even
// when there are a thousand of them.
constexpr size_t kStep = 2048;
constexpr size_t kPiece = 8 * kStep;

// A mask on its way along the vector.
class Expansion {
 public:
  Expansion(const SecretBytes& key, MaskSign sign, uint64_t first_coordinate) : stream_(key), sign_(sign) {
    AISLE_CHECK(first_coordinate < uint64_t{1} << 62, "no mask has a coordinate {}", first_coordinate);
    if (first_coordinate > 0) stream_.Seek(first_coordinate * kCoordinateSize);
  }

  // `scratch` has room for kStep coordinates.
  void ApplyNext(std::span<uint32_t> values, std::span<uint8_t> scratch) {
    while (!values.empty()) {
      const std::span<uint32_t> step = values.first(std::min(kStep, values.size()));
      const std::span<uint8_t> mask = scratch.first(step.size_bytes());
      stream_.Generate(mask);
      const char* bytes = reinterpret_cast<const char*>(mask.data());
      sign_ == MaskSign::kAdd ? FoldAdd(step.data(), bytes, step.size())
                              : FoldSubtract(step.data(), bytes, step.size());
      values = values.subspan(step.size());
    }
  }

 private:
  AesCtr stream_;
  MaskSign sign_;
};

void ApplyAll(std::span<Expansion> expansions, std::span<uint32_t> values) {
  alignas(64) std::array<uint8_t, kStep * kCoordinateSize> scratch;
  while (!values.empty()) {
    const std::span<uint32_t> piece = values.first(std::min(kPiece, values.size()));
    for (Expansion& expansion : expansions) expansion.ApplyNext(piece, scratch);
    values = values.subspan(piece.size());
  }
  Wipe(scratch.data(), scratch.size());
}

}  // namespace

void ApplyMask(const SecretBytes& key, MaskSign sign, uint64_t first_coordinate, std::span<uint32_t> values) {
  Expansion expansion(key, sign, first_coordinate);
  ApplyAll({&expansion, 1}, values);
}

void ApplyMasks(std::span<const Mask> masks, uint64_t first_coordinate, std::span<uint32_t> values) {
  std::vector<Expansion> expansions;
  expansions.reserve(masks.size());
  for (const Mask& mask : masks) expansions.emplace_back(mask.key, mask.sign, first_coordinate);
  ApplyAll(expansions, values);
}

}  // namespace aisle::secagg
