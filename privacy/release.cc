#include "privacy/release.h"

#include <algorithm>
#include <cmath>

#include "privacy/discrete_gaussian.h"

namespace aisle {
namespace {

constexpr size_t kNoiseBlock = 4096;  // Noise lives for one block, then is overwritten.

// |value + noise| fits int64 by far; clamping is post-processing and costs no privacy.
uint32_t Wire(int64_t value, int64_t coordinate_max) {
  return static_cast<uint32_t>(std::clamp(value, -coordinate_max, coordinate_max));
}

void AddNoise(const DiscreteGaussian& gaussian, RandomSource& random, std::span<const int32_t> clean,
              int64_t coordinate_max, std::span<uint32_t> out) {
  SecretVector<int64_t> noise(std::min(kNoiseBlock, clean.size()));
  for (size_t at = 0; at < clean.size(); at += kNoiseBlock) {
    const size_t size = std::min(kNoiseBlock, clean.size() - at);
    gaussian.Fill(random, noise.Mutable().first(size));
    for (size_t i = 0; i < size; ++i) out[at + i] = Wire(clean[at + i] + noise.Reveal()[i], coordinate_max);
  }
}

void Clamp(std::span<const int32_t> values, const Quantizer& quantizer, std::span<uint32_t> out) {
  std::ranges::transform(values, out.begin(), [&](int32_t value) { return Wire(value, quantizer.coordinate_max()); });
}

}  // namespace

// The vector of one unit is within the norm. A sum over customers may be longer: each of them was checked as it was
// added (unit_sum.h), by the worker, which alone may know who was in it.
Status CheckSensitivity(PrivacyUnit unit, std::span<const int32_t> clean, const Quantizer& quantizer) {
  if (unit != PrivacyUnit::kCustomer) return quantizer.CheckNorm(clean);
  if (clean.size() == quantizer.length()) return OkStatus();
  return InvalidArgument("an update of {} coordinates where the plan has {}", clean.size(), quantizer.length());
}

StatusOr<SecretVector<uint32_t>> Release(DebitReceipt receipt, SecretVector<int32_t> clean, const Quantizer& quantizer,
                                         RandomSource& random) {
  if (receipt.spent()) return FailedPrecondition("this debit has been used for a release already; debit again");
  const Debit& debit = receipt.debit();
  AISLE_RETURN_IF_ERROR(CheckSensitivity(debit.unit, clean.Reveal(), quantizer));
  SecretVector<uint32_t> out(clean.size());
  if (debit.unit == PrivacyUnit::kNone) {
    Clamp(clean.Reveal(), quantizer, out.Mutable());
    return out;
  }
  AISLE_ASSIGN_OR_RETURN(const int64_t sigma, NoiseSigma(debit.noise_multiplier, quantizer));
  AISLE_ASSIGN_OR_RETURN(const DiscreteGaussian gaussian, DiscreteGaussian::Make(sigma));
  AddNoise(gaussian, random, clean.Reveal(), quantizer.coordinate_max(), out.Mutable());
  return out;
}

StatusOr<SecretBytes> NoiseKeyFor(DebitReceipt receipt, RandomSource& random) {
  if (receipt.spent()) return FailedPrecondition("this debit has been used for a release already; debit again");
  return DrawKey(random);
}

StatusOr<SecretVector<uint32_t>> WireOf(SecretVector<int32_t> noised, const Quantizer& quantizer) {
  AISLE_RETURN_IF_ERROR(quantizer.CheckNorm(noised.Reveal()));
  SecretVector<uint32_t> out(noised.size());
  Clamp(noised.Reveal(), quantizer, out.Mutable());
  return out;
}

}  // namespace aisle
