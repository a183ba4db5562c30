// Pearson's test that counts over 256 equally likely cells come from chance.
#pragma once

#include <array>
#include <cstdint>

namespace aisle::secagg {

class ChiSquare256 {
 public:
  void Count(uint8_t cell) {
    ++counts_[cell];
    ++total_;
  }

  double statistic() const {
    const double expected = static_cast<double>(total_) / 256;
    double sum = 0;
    for (const uint64_t count : counts_) {
      const double off = static_cast<double>(count) - expected;
      sum += off * off / expected;
    }
    return sum;
  }

  // Chance alone fails this once in a million times (255 degrees of freedom). Counts that are too even are as
  // suspicious as uneven ones.
  bool LooksUniform() const { return statistic() > kLow && statistic() < kHigh; }

 private:
  static constexpr double kLow = 159.3;   // Chance is below it once in 2 million times,
  static constexpr double kHigh = 381.2;  // and above this as often.

  std::array<uint64_t, 256> counts_{};
  uint64_t total_ = 0;
};

}  // namespace aisle::secagg
