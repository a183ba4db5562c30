// A tiny non-negative number, always rounded upwards, in integers alone: for probabilities that must not be
// underestimated, and that two machines must agree on to the last bit. 64 bits of precision, exponents without end.
#pragma once

#include <bit>
#include <cstdint>

#include "base/check.h"

namespace aisle::secagg {

class UpperBound {
 public:
  explicit UpperBound(uint64_t value) { Normalise(value); }

  // Times numerator / denominator, rounded up. The denominator is above 0.
  void MultiplyBy(uint64_t numerator, uint64_t denominator) {
    AISLE_CHECK(denominator > 0);
    Wide product = static_cast<Wide>(mantissa_) * numerator;
    if (product == 0) {
      mantissa_ = 0;
      return;
    }
    const int room = CountLeadingZeros(product);
    product <<= room;
    exponent_ -= room;
    Normalise(product / denominator + (product % denominator != 0 ? 1 : 0));
  }

  UpperBound& operator+=(const UpperBound& other) {
    if (other.mantissa_ == 0) return *this;
    if (mantissa_ == 0) return *this = other;
    const UpperBound& larger = exponent_ >= other.exponent_ ? *this : other;
    const UpperBound& smaller = exponent_ >= other.exponent_ ? other : *this;
    const int64_t apart = larger.exponent_ - smaller.exponent_;
    // What falls off the smaller one's end counts as a whole unit.
    const Wide addend = apart >= 64 ? 1 : ShiftUp(smaller.mantissa_, static_cast<int>(apart));
    const Wide sum = larger.mantissa_ + addend;
    exponent_ = larger.exponent_;
    Normalise(sum);
    return *this;
  }

  bool IsAtMostTwoToMinus(int bits) const {
    if (mantissa_ == 0) return true;
    const int64_t top = exponent_ + 63;  // The value is in [2^top, 2^(top + 1)).
    return top < -bits || (top == -bits && mantissa_ == kOne);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr uint64_t kOne = uint64_t{1} << 63;

  static int CountLeadingZeros(Wide value) {
    const auto high = static_cast<uint64_t>(value >> 64);
    return high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<uint64_t>(value));
  }
  static Wide ShiftUp(Wide value, int bits) {  // value / 2^bits, rounded up.
    return (value >> bits) + ((value & ((Wide{1} << bits) - 1)) != 0 ? 1 : 0);
  }

  // Makes this value * 2^exponent_, with 63 zero bits or none at the mantissa's top.
  void Normalise(Wide value) {
    const int excess = value == 0 ? 0 : 64 - CountLeadingZeros(value);
    if (excess > 0) {
      value = ShiftUp(value, excess);
      exponent_ += excess;
      if (value >> 64 != 0) {  // Rounded up to 2^64.
        value >>= 1;
        ++exponent_;
      }
    } else {
      value <<= -excess;
      exponent_ += excess;
    }
    mantissa_ = static_cast<uint64_t>(value);
  }

  uint64_t mantissa_ = 0;  // The value is mantissa_ * 2^exponent_; the mantissa's top bit is set, or it is zero.
  int64_t exponent_ = 0;
};

}  // namespace aisle::secagg
