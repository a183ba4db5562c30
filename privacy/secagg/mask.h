// Masks: pseudorandom vectors in Z_2^32 that hide an update and cancel in the sum (Bonawitz et al. 2017, section 4).
//
// Coordinate j of a mask is bytes [4 j, 4 j + 4) of the AES-256-CTR key stream under the mask's key, little-endian,
// with a 128-bit big-endian counter from zero (SP 800-38A, section 6.5). A key makes one mask and nothing else.
#pragma once

#include <cstdint>
#include <span>

#include "base/secret.h"

namespace aisle::secagg {

inline constexpr size_t kMaskKeySize = 32;

enum class MaskSign { kAdd, kSubtract };

struct Mask {
  SecretBytes key;  // kMaskKeySize bytes.
  MaskSign sign = MaskSign::kAdd;
};

// values[i] += (or -=) coordinate first_coordinate + i of the mask, modulo 2^32. A key of another size, or a coordinate
// of 2^62 or more, is our bug. Takes the same time whatever the key and the values are; the mask is never in memory
// whole: it is made and added in pieces that fit the first-level cache.
void ApplyMask(const SecretBytes& key, MaskSign sign, uint64_t first_coordinate, std::span<uint32_t> values);

// All of them, piece by piece, so that `values` is read from memory once rather than once per mask. Holds one cipher,
// of about 1 KiB, per mask.
void ApplyMasks(std::span<const Mask> masks, uint64_t first_coordinate, std::span<uint32_t> values);

}  // namespace aisle::secagg
