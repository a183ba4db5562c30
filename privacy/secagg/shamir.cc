#include "privacy/secagg/shamir.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace aisle::secagg {
namespace {

using field_internal::Wide;
using Limbs = std::array<uint64_t, kLimbs>;

constexpr int kLimbBits = 52;
constexpr std::array<int, kLimbs> kBitsOf = {52, 52, 52, 52, 48};

// Bits [52 i, 52 i + bits) of the secret.
Limbs Cut(const SecretBytes& secret) {
  std::array<uint64_t, 4> words;
  std::memcpy(words.data(), secret.Reveal().data(), sizeof words);
  Limbs limbs;
  for (size_t i = 0; i < kLimbs; ++i) {
    const size_t bit = i * kLimbBits;
    const size_t word = bit / 64;
    const size_t shift = bit % 64;
    const uint64_t above = shift == 0 || word + 1 == words.size() ? 0 : words[word + 1] << (64 - shift);
    limbs[i] = ((words[word] >> shift) | above) & ((uint64_t{1} << kBitsOf[i]) - 1);
  }
  Wipe(words.data(), sizeof words);
  return limbs;
}

SecretBytes Join(const Limbs& limbs) {
  std::array<uint64_t, 4> words{};
  for (size_t i = 0; i < kLimbs; ++i) {
    const size_t bit = i * kLimbBits;
    const size_t word = bit / 64;
    const size_t shift = bit % 64;
    words[word] |= limbs[i] << shift;
    if (shift != 0 && word + 1 < words.size()) words[word + 1] |= limbs[i] >> (64 - shift);
  }
  SecretBytes secret(kSharedSecretSize);
  std::memcpy(secret.Mutable().data(), words.data(), sizeof words);
  Wipe(words.data(), sizeof words);
  return secret;
}

// Whether all are below p: one answer for all of them, without a branch on any.
bool IsCanonical(const Limbs& values) {
  uint64_t excess = 0;
  for (const uint64_t value : values) excess |= (value >> 61) | ((value + 1) >> 61);
  return excess == 0;
}

Status TooLarge(uint32_t point) {
  return InvalidArgument("the share of point {} holds a value that isn't below 2^61 - 1: it is damaged", point);
}

// Points are public, so this may branch on them.
Status CheckPoints(std::span<const uint32_t> points) {
  if (points.empty()) return InvalidArgument("a secret is shared among at least one point");
  std::vector<uint32_t> sorted(points.begin(), points.end());
  std::ranges::sort(sorted);
  if (sorted.front() == 0) return InvalidArgument("point 0 holds the secret itself and can't be a share's");
  const auto twin = std::ranges::adjacent_find(sorted);
  if (twin != sorted.end()) return InvalidArgument("point {} comes twice; each share has a point of its own", *twin);
  return OkStatus();
}

}  // namespace

Share& Share::operator=(Share&& other) noexcept {
  if (this != &other) {
    x = other.x;
    y = other.y;
    Wipe(other.y.data(), sizeof other.y);
  }
  return *this;
}

SecretBytes Share::Serialise() const {
  SecretBytes bytes(kSize);
  std::memcpy(bytes.Mutable().data(), y.data(), kSize);
  return bytes;
}

StatusOr<Share> Share::Parse(uint32_t point, std::string_view bytes) {
  if (bytes.size() != kSize) return InvalidArgument("a share has {} bytes, not {}", kSize, bytes.size());
  if (point == 0) return InvalidArgument("point 0 holds the secret itself and can't be a share's");
  Share share;
  share.x = point;
  std::memcpy(share.y.data(), bytes.data(), kSize);
  if (!IsCanonical(share.y)) return TooLarge(point);
  return share;
}

StatusOr<std::vector<Share>> Split(const SecretBytes& secret, uint32_t threshold, std::span<const uint32_t> points,
                                   RandomSource& random) {
  if (secret.size() != kSharedSecretSize) {
    return InvalidArgument("a shared secret has {} bytes, not {}", kSharedSecretSize, secret.size());
  }
  AISLE_RETURN_IF_ERROR(CheckPoints(points));
  if (threshold < 1 || threshold > points.size()) {
    return InvalidArgument("a threshold of {} isn't between 1 and the {} shares", threshold, points.size());
  }
  // Coefficients from the constant term up; for each power the five limbs' side by side.
  SecretVector<uint64_t> coefficients(size_t{threshold} * kLimbs);
  const std::span<uint64_t> terms = coefficients.Mutable();
  Limbs limbs = Cut(secret);
  std::ranges::copy(limbs, terms.begin());
  Wipe(limbs.data(), sizeof limbs);
  for (uint64_t& term : terms.subspan(kLimbs)) term = DrawElement(random).value;

  std::vector<Share> shares;
  shares.reserve(points.size());
  for (const uint32_t point : points) {
    Share& share = shares.emplace_back();
    share.x = point;
    for (size_t power = threshold; power-- > 0;) {  // Horner.
      for (size_t limb = 0; limb < kLimbs; ++limb) {
        share.y[limb] = Add(Multiply({share.y[limb]}, {point}), {terms[power * kLimbs + limb]}).value;
      }
    }
  }
  return shares;
}

StatusOr<LagrangeWeights> LagrangeWeights::AtZero(std::span<const uint32_t> points) {
  AISLE_RETURN_IF_ERROR(CheckPoints(points));
  // weight_i = (product of all x_j) / (x_i * product over j != i of (x_j - x_i)).
  FieldElement all{1};
  std::vector<FieldElement> weights;
  weights.reserve(points.size());
  for (const uint32_t own : points) {
    all = Multiply(all, {own});
    FieldElement below{own};
    for (const uint32_t other : points) {
      if (other != own) below = Multiply(below, Subtract({other}, {own}));
    }
    weights.push_back(below);
  }
  InvertAll(weights);
  for (FieldElement& weight : weights) weight = Multiply(weight, all);
  return LagrangeWeights({points.begin(), points.end()}, std::move(weights));
}

StatusOr<SecretBytes> LagrangeWeights::Combine(std::span<const Share> shares) const {
  if (shares.size() != points_.size()) {
    return InvalidArgument("{} shares for weights of {} points", shares.size(), points_.size());
  }
  for (size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].x != points_[i]) {
      return InvalidArgument("share {} is of point {}, its weight of point {}", i, shares[i].x, points_[i]);
    }
    if (!IsCanonical(shares[i].y)) return TooLarge(points_[i]);
  }
  Limbs limbs{};
  for (size_t i = 0; i < shares.size(); ++i) {
    for (size_t limb = 0; limb < kLimbs; ++limb) {
      limbs[limb] = Add({limbs[limb]}, Multiply({shares[i].y[limb]}, weights_[i])).value;
    }
  }
  uint64_t excess = 0;
  for (size_t limb = 0; limb < kLimbs; ++limb) excess |= limbs[limb] >> kBitsOf[limb];
  SecretBytes secret = Join(limbs);
  Wipe(limbs.data(), sizeof limbs);
  if (excess != 0) {
    return InvalidArgument("the {} shares don't fit together: at least one of them is wrong", shares.size());
  }
  return secret;
}

}  // namespace aisle::secagg
