// Between real updates and the integers that are summed. One L2 norm C in real numbers is one norm Delta in integers:
//
//   quantised = truncate(real * Delta / C)   real = integer * C / Delta   Delta = scale(), a power of two
//
// Truncation toward zero never makes a norm grow, so the sensitivity of the integer vector is exactly Delta, checked in
// 128-bit integers. (Rounding to nearest would let it grow by up to sqrt(length) / 2.)
//
// Headroom: up to `addends_max` vectors are summed in Z_2^32, each coordinate within +-coordinate_max(), so the sum of
// all stays within +-(2^31 - 1) and never wraps, whatever the stores sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/secret.h"
#include "base/status.h"

namespace aisle {

struct QuantizerOptions {
  double clip_norm = 0;         // C, the L2 bound of one real vector.
  size_t length = 0;            // Coordinates, at most kElementsMax plus metric slots.
  uint32_t addends_max = 0;     // Most vectors that can ever be in one sum (cohort target with over-selection).
  double noise_multiplier = 0;  // z: noise of std z * Delta is added to each vector before it is clamped; 0 for none.
  double units_expected = 1;    // Clipped vectors that one addend is itself the sum of (mode customer), at least 1.
};

// A value, the same on both sides of the wire: stores and HQ make it from the plan's public numbers alone.
class Quantizer {
 public:
  // Delta is 2^16 up to 2^24 coordinates and doubles for each 4 times more (so truncation loses at most 1/16 of the
  // norm), then is halved until Delta * (h + 6 z) fits under coordinate_max(), so that clamping practically never acts.
  // h, how many whole norms may pile up in one coordinate, is units_expected up to 64: the vectors of many customers
  // never point all along one axis, and every halving costs precision.
  // InvalidArgument if an option is out of range, or if addends and noise are too many for even Delta = 2^6.
  static StatusOr<Quantizer> Make(const QuantizerOptions& options);

  double clip_norm() const { return clip_norm_; }
  size_t length() const { return length_; }
  uint32_t addends_max() const { return addends_max_; }
  // Delta: the L2 bound of a quantised vector, and so the mechanism's integer sensitivity.
  int64_t scale() const { return scale_; }
  // floor((2^31 - 1) / addends_max): where a coordinate with its noise is clamped.
  int32_t coordinate_max() const { return coordinate_max_; }

  // The integer vector of `values` (length() of them; AISLE_CHECK). The result always passes CheckNorm: a vector that
  // is over C is scaled down, and one that holds a NaN or an infinity becomes zero.
  SecretVector<int32_t> Quantize(std::span<const float> values) const;

  // InvalidArgument if `quantized` has another length or its exact integer norm is over Delta. The message doesn't say
  // the norm: it is private.
  Status CheckNorm(std::span<const int32_t> quantized) const;

  // value * C / Delta.
  double ToFloat(int64_t value) const { return static_cast<double>(value) * unit_; }

 private:
  Quantizer() = default;
  double clip_norm_ = 0;
  size_t length_ = 0;
  uint32_t addends_max_ = 0;
  int64_t scale_ = 0;
  int32_t coordinate_max_ = 0;
  double unit_ = 0;  // C / Delta.
};

}  // namespace aisle
