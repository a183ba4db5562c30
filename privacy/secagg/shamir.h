// Shamir's secret sharing (1979) of 32-byte secrets over GF(2^61 - 1): any `threshold` shares rebuild the secret, fewer
// say nothing about it, whatever computing power is brought to bear.
//
// The secret's 256 bits are cut, from the lowest (byte 0, bit 0) upwards, into limbs of 52, 52, 52, 52 and 48 bits.
// Each limb is the constant term of a polynomial of its own, of degree threshold - 1 with uniform other coefficients;
// the share of point x is the five values at x. Splitting takes the same time whatever the secret and the coefficients
// are, rebuilding whatever the shares are.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "privacy/secagg/field.h"

namespace aisle::secagg {

inline constexpr size_t kSharedSecretSize = 32;
inline constexpr size_t kLimbs = 5;

// One party's share of one secret. Wiped when it goes; no formatter, no comparison.
struct Share {
  static constexpr size_t kSize = kLimbs * sizeof(uint64_t);  // 40 bytes, as serialised.

  uint32_t x = 0;                    // The point; public.
  std::array<uint64_t, kLimbs> y{};  // The values there, each below p.

  Share() = default;
  Share(uint32_t point, const std::array<uint64_t, kLimbs>& values) : x(point), y(values) {}
  ~Share() { Wipe(y.data(), sizeof y); }
  Share(Share&& other) noexcept : x(other.x), y(other.y) { Wipe(other.y.data(), sizeof other.y); }
  Share& operator=(Share&& other) noexcept;
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // The five values, little-endian, 8 bytes each. The point isn't part: it follows from who holds the share.
  SecretBytes Serialise() const;
  // InvalidArgument unless given kSize bytes whose values are all below p, and a point that isn't 0.
  static StatusOr<Share> Parse(uint32_t point, std::string_view bytes);
};

// A share for each point, in their order. InvalidArgument if the secret hasn't kSharedSecretSize bytes, the threshold
// isn't in [1, number of points], or a point is 0 (which is where the secret lies) or comes twice.
// The coefficients are drawn by DrawElement, from the first power up and for each power limb by limb.
StatusOr<std::vector<Share>> Split(const SecretBytes& secret, uint32_t threshold, std::span<const uint32_t> points,
                                   RandomSource& random);

// What turns shares at given points into the secret: Lagrange's basis polynomials at zero. They depend on the points
// only, so they are made once for all secrets whose shares come from the same parties.
class LagrangeWeights {
 public:
  // InvalidArgument if there is no point, or one is 0 or comes twice.
  static StatusOr<LagrangeWeights> AtZero(std::span<const uint32_t> points);

  std::span<const uint32_t> points() const { return points_; }

  // The secret. `shares` are those of points(), in the same order; at least as many as the threshold it was split with,
  // else the result is noise that nothing here can tell from a secret.
  // InvalidArgument if a share is of another point, has a value that isn't below p, or if a limb comes out wider than
  // limbs are: then some share is wrong. A wrong share goes unnoticed here once in 2^49; a commitment tells for
  // certain.
  StatusOr<SecretBytes> Combine(std::span<const Share> shares) const;

 private:
  LagrangeWeights(std::vector<uint32_t> points, std::vector<FieldElement> weights)
      : points_(std::move(points)), weights_(std::move(weights)) {}

  std::vector<uint32_t> points_;
  std::vector<FieldElement> weights_;  // weights_[i] = product over j != i of x_j / (x_j - x_i).
};

}  // namespace aisle::secagg
