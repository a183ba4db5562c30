// Exact samples of the discrete Gaussian on the integers: P(x) proportional to exp(-x^2 / (2 sigma^2)).
//
// Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020), algorithms 1-3, for
// integer sigma. Every decision compares random bits with a ratio of integers, to as many bits as it takes; no floating
// point is involved, so there is no rounding for an attacker to find (Mironov 2012). Running time depends on the values
// drawn: an observer who could time single draws would learn about them, so draw whole vectors and send them later.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"
#include "base/status.h"

namespace aisle {

class DiscreteGaussian {
 public:
  // 2^26 is z = 256 at Delta = 2^18, the largest the quantizer makes.
  static constexpr int64_t kSigmaMax = int64_t{1} << 26;

  // InvalidArgument unless 1 <= sigma <= kSigmaMax. sigma is the scale parameter; the standard deviation is never
  // larger and differs from it by less than 1e-7 already at sigma = 1.
  static StatusOr<DiscreteGaussian> Make(int64_t sigma);

  int64_t sigma() const { return sigma_; }

  // Fills `out` with independent samples. The same random bytes give the same samples; bytes are drawn in blocks, so
  // some beyond the last sample's are used up.
  void Fill(RandomSource& random, std::span<int64_t> out) const;

 private:
  explicit DiscreteGaussian(int64_t sigma) : sigma_(sigma) {}
  int64_t sigma_;
};

}  // namespace aisle
