// Arithmetic in GF(p), p = 2^61 - 1, for Shamir's shares. p is a Mersenne prime: a product is reduced by a shift and an
// add, without division.
//
// Everything here takes the same time whatever the values are: no branch, no table and no division depends on them.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"

namespace aisle::secagg {

// An element, always in [0, p). Not wiped by itself: whoever holds secret elements wipes them.
struct FieldElement {
  static constexpr uint64_t kModulus = (uint64_t{1} << 61) - 1;
  uint64_t value = 0;

  bool operator==(const FieldElement&) const = default;  // For public values and tests.
};

namespace field_internal {
__extension__ using Wide = unsigned __int128;

// [0, 2p) -> [0, p).
constexpr uint64_t Once(uint64_t value) {
  const uint64_t less = value - FieldElement::kModulus;
  return less + (FieldElement::kModulus & (0 - (less >> 63)));  // The sign tells whether it was too much.
}
}  // namespace field_internal

constexpr FieldElement Add(FieldElement a, FieldElement b) { return {field_internal::Once(a.value + b.value)}; }
constexpr FieldElement Subtract(FieldElement a, FieldElement b) {
  return {field_internal::Once(a.value + FieldElement::kModulus - b.value)};
}
constexpr FieldElement Multiply(FieldElement a, FieldElement b) {
  const field_internal::Wide product = static_cast<field_internal::Wide>(a.value) * b.value;
  const uint64_t low = static_cast<uint64_t>(product) & FieldElement::kModulus;
  return {field_internal::Once(low + static_cast<uint64_t>(product >> 61))};  // 2^61 = 1.
}

// a^(p - 2), which is 1 / a (Fermat); 0 for 0, which has no inverse.
FieldElement Inverse(FieldElement a);

// Replaces each element by its inverse at the price of one inversion and 3 multiplications each (Montgomery's trick).
// None may be zero: that is our bug.
void InvertAll(std::span<FieldElement> elements);

// Uniform in [0, p): 61 of 64 drawn bits, again if they are p itself (once in 2^61). How often it drew says nothing
// about what it returns.
FieldElement DrawElement(RandomSource& random);

}  // namespace aisle::secagg
