#include "privacy/noise.h"

#include <cmath>

#include "privacy/discrete_gaussian.h"

namespace aisle {

StatusOr<int64_t> NoiseSigma(double noise_multiplier, const Quantizer& quantizer) {
  // Delta is a power of two, so the product is exact and ceil rounds the promise up, never down.
  const double sigma = std::ceil(noise_multiplier * static_cast<double>(quantizer.scale()));
  if (!(sigma >= 1 && sigma <= static_cast<double>(DiscreteGaussian::kSigmaMax))) {
    return InvalidArgument("a noise multiplier of {} at a norm of {} needs a sigma of {}; it must be from 1 to {}",
                           noise_multiplier, quantizer.scale(), sigma, DiscreteGaussian::kSigmaMax);
  }
  return static_cast<int64_t>(sigma);
}

StatusOr<SecretVector<int64_t>> WithNoise(std::span<const int32_t> clean, double noise_multiplier,
                                          const Quantizer& quantizer, RandomSource& random) {
  AISLE_ASSIGN_OR_RETURN(const int64_t sigma, NoiseSigma(noise_multiplier, quantizer));
  AISLE_ASSIGN_OR_RETURN(const DiscreteGaussian gaussian, DiscreteGaussian::Make(sigma));
  SecretVector<int64_t> noised(clean.size());
  gaussian.Fill(random, noised.Mutable());
  for (size_t i = 0; i < clean.size(); ++i) noised.Mutable()[i] += clean[i];
  return noised;
}

}  // namespace aisle
