#include "privacy/discrete_gaussian.h"

#include <array>
#include <cstddef>

namespace aisle {
namespace {

// Hands out random words from one block at a time; what is left of a block is wiped with it.
class Words {
 public:
  explicit Words(RandomSource& random) : random_(random) {}
  ~Words() { Wipe(words_.data(), sizeof words_); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  uint32_t Next() {
    if (used_ == kCount) [[unlikely]]
      Refill();
    return words_[used_++];
  }

  bool Bit() {
    if (bits_left_ == 0) {
      bits_ = Next();
      bits_left_ = 32;
    }
    const bool bit = (bits_ & 1) != 0;
    bits_ >>= 1;
    --bits_left_;
    return bit;
  }

  // Uniform in [0, bound), exactly: Lemire, "Fast Random Integer Generation in an Interval" (2019). `excess` is
  // 2^32 mod bound.
  uint32_t Below(uint32_t bound, uint32_t excess) {
    for (;;) {
      const uint64_t product = uint64_t{Next()} * bound;
      if (static_cast<uint32_t>(product) >= excess) [[likely]]
        return static_cast<uint32_t>(product >> 32);
    }
  }

 private:
  static constexpr size_t kCount = 4096;  // 16 KiB.

  void Refill() {
    random_.Fill({reinterpret_cast<uint8_t*>(words_.data()), sizeof words_});
    used_ = 0;
  }

  RandomSource& random_;
  std::array<uint32_t, kCount> words_;
  size_t used_ = kCount;
  uint32_t bits_ = 0;
  int bits_left_ = 0;
};

constexpr uint32_t Excess(uint32_t bound) { return (0U - bound) % bound; }

// A probability numerator / denominator, at most 1, with its first 32 binary digits worked out.
class Ratio {
 public:
  Ratio(uint64_t numerator, uint64_t denominator)
      : denominator_(denominator),
        digits_((numerator << 32) / denominator),  // numerator <= 2^26; 2^32 itself for a ratio of 1.
        remainder_((numerator << 32) % denominator) {}

  // What is missing to 1, without another division.
  Ratio Complement() const {
    const bool exact = remainder_ == 0;
    Ratio missing(*this);
    missing.digits_ = (uint64_t{1} << 32) - digits_ - (exact ? 0 : 1);
    missing.remainder_ = exact ? 0 : denominator_ - remainder_;
    return missing;
  }

  // True with exactly this probability: is a uniform real, drawn digit by digit, below the ratio?
  bool Draw(Words& words) const {
    const uint64_t word = words.Next();
    if (word != digits_) [[likely]]
      return word < digits_;
    return DrawBeyond(words);
  }

 private:
  [[gnu::noinline]] bool DrawBeyond(Words& words) const {
    for (uint64_t rest = remainder_; rest != 0;) {
      const uint64_t digits = (rest << 32) / denominator_;
      const uint64_t word = words.Next();
      if (word != digits) return word < digits;
      rest = (rest << 32) % denominator_;
    }
    return false;  // Every digit so far is the ratio's, and the ratio has no more.
  }

  uint64_t denominator_;
  uint64_t digits_;
  uint64_t remainder_;
};

// The chain of independent events of probability 1/2, 1/3, 1/4 .. that algorithm 1 asks about in turn, from one word:
// for W uniform below 11!, "W < 11!/k!" holds for all of 2..k with probability 1/k!, and so has the chain's law.
class FactorialChain {
 public:
  explicit FactorialChain(Words& words) : words_(words), position_(words.Below(kFactorial, Excess(kFactorial))) {}

  // The event of probability 1/k. Ask with k = 2, 3, 4 .. and stop at the first that fails.
  bool Holds(uint32_t k) {
    if (k > kLast) [[unlikely]]
      return words_.Below(k, Excess(k)) == 0;
    return position_ < kLimits[k];
  }

 private:
  static constexpr uint32_t kLast = 11;
  static constexpr uint32_t kFactorial = 39'916'800;  // 11!
  // 11!/k!
  static constexpr std::array<uint32_t, kLast + 1> kLimits = [] {
    std::array<uint32_t, kLast + 1> limits{kFactorial, kFactorial};
    for (uint32_t k = 2; k <= kLast; ++k) limits[k] = limits[k - 1] / k;
    return limits;
  }();
  Words& words_;
  uint32_t position_;
};

// Algorithm 1: true with probability exp(-gamma), where `event` is true with probability gamma <= 1 each time. (It asks
// for events of probability gamma / k: here the event and, independently, one of 1 / k.)
template <typename Event>
bool BernoulliExp(Words& words, Event event) {
  if (!event()) return true;
  FactorialChain chain(words);
  uint32_t k = 2;
  while (chain.Holds(k) && event()) ++k;
  return k % 2 == 1;
}

bool BernoulliExpOne(Words& words) {
  return BernoulliExp(words, [] { return true; });
}
bool BernoulliExpHalf(Words& words) {
  return BernoulliExp(words, [&words] { return words.Bit(); });
}
bool BernoulliExpRatio(Words& words, const Ratio& ratio) {
  return BernoulliExp(words, [&] { return ratio.Draw(words); });
}
// exp(-ratio^2 / 2)
bool BernoulliExpHalfSquare(Words& words, const Ratio& ratio) {
  return BernoulliExp(words, [&] { return words.Bit() && ratio.Draw(words) && ratio.Draw(words); });
}

// Algorithm 3 with t = sigma: a discrete Laplace variable Y of scale t, kept with probability
// exp(-(|Y| - sigma^2 / t)^2 / (2 sigma^2)). The identity behind it holds for every positive t; with t = sigma all
// ratios have denominator sigma, and with |Y| = u + sigma v the exponent is ((u / sigma + v - 1)^2) / 2, which comes
// apart into
//   v = 0:  ((sigma - u) / sigma)^2 / 2        v > 0, m = v - 1:  m^2 / 2 + m (u / sigma) + (u / sigma)^2 / 2
class Sampler {
 public:
  Sampler(Words& words, uint32_t sigma) : words_(words), sigma_(sigma), excess_(Excess(sigma)) {}

  int64_t Draw() {
    for (;;) {
      const uint32_t u = words_.Below(sigma_, excess_);
      const Ratio ratio(u, sigma_);
      if (!BernoulliExpRatio(words_, ratio)) continue;  // Algorithm 2: u has weight exp(-u / sigma).
      int64_t v = 0;
      while (BernoulliExpOne(words_)) ++v;
      const int64_t magnitude = u + int64_t{sigma_} * v;
      const bool negative = words_.Bit();
      if (negative && magnitude == 0) continue;  // Zero must not count twice.
      if (Keep(v, ratio)) return negative ? -magnitude : magnitude;
    }
  }

 private:
  bool Keep(int64_t v, const Ratio& ratio) {
    if (v == 0) return BernoulliExpHalfSquare(words_, ratio.Complement());  // Of sigma - u.
    const int64_t m = v - 1;
    for (int64_t i = 0; i < m * m; ++i) {
      if (!BernoulliExpHalf(words_)) return false;
    }
    for (int64_t i = 0; i < m; ++i) {
      if (!BernoulliExpRatio(words_, ratio)) return false;
    }
    return BernoulliExpHalfSquare(words_, ratio);
  }

  Words& words_;
  uint32_t sigma_;
  uint32_t excess_;
};

}  // namespace

StatusOr<DiscreteGaussian> DiscreteGaussian::Make(int64_t sigma) {
  if (sigma < 1 || sigma > kSigmaMax) {
    return InvalidArgument("a discrete Gaussian's sigma is {}; it must be from 1 to {}", sigma, kSigmaMax);
  }
  return DiscreteGaussian(sigma);
}

void DiscreteGaussian::Fill(RandomSource& random, std::span<int64_t> out) const {
  Words words(random);
  Sampler sampler(words, static_cast<uint32_t>(sigma_));
  for (int64_t& value : out) value = sampler.Draw();
}

}  // namespace aisle
