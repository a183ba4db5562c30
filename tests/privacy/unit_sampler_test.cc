#include "privacy/unit_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace aisle {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

AesCtrStream StreamOf(uint8_t seed) { return {SecretBytes::CopyOf(std::string(32, static_cast<char>(seed))), "test"}; }

// Two-sided, five sigma: a false alarm in 1.7 million runs, and the seeds are fixed.
TEST(UnitSamplerTest, DrawsEachUnitWithItsProbability) {
  for (const double q : {0.001, 0.05, 0.5, 0.97}) {
    AesCtrStream random = StreamOf(1);
    constexpr size_t kUnits = 1'000'000;
    const auto drawn = UnitSampler::Make(q).value().Draw(kUnits, random);
    EXPECT_NEAR(static_cast<double>(drawn.size()), q * kUnits, 5 * std::sqrt(kUnits * q * (1 - q))) << q;
  }
}

// The number drawn is binomial, not fixed: a fixed batch size is another mechanism with another price.
TEST(UnitSamplerTest, TheNumberDrawnVariesAsABinomialDoes) {
  AesCtrStream random = StreamOf(2);
  const UnitSampler sampler = UnitSampler::Make(0.1).value();
  constexpr int kDraws = 4000;
  constexpr double kUnits = 500;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto count = static_cast<double>(sampler.Draw(kUnits, random).size());
    sum += count;
    squares += count * count;
  }
  const double variance = squares / kDraws - (sum / kDraws) * (sum / kDraws);
  EXPECT_NEAR(variance, kUnits * 0.1 * 0.9, 0.12 * kUnits * 0.1 * 0.9);  // Its own std is 2.2 %: over five sigma.
}

// Units are drawn independently: pairs of neighbours come together as often as chance says.
TEST(UnitSamplerTest, NeighboursAreDrawnIndependently) {
  AesCtrStream random = StreamOf(3);
  constexpr size_t kUnits = 1'000'000;
  const auto drawn = UnitSampler::Make(0.2).value().Draw(kUnits, random);
  size_t pairs = 0;
  for (size_t i = 1; i < drawn.size(); ++i) pairs += drawn[i] == drawn[i - 1] + 1 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(pairs), 0.04 * kUnits, 5 * std::sqrt(0.04 * kUnits));
}

TEST(UnitSamplerTest, DrawsAllAtRateOneAndKeepsTheStreamInStep) {
  AesCtrStream all = StreamOf(4);
  AesCtrStream some = StreamOf(4);
  EXPECT_THAT(UnitSampler::Make(1).value().Draw(100, all), SizeIs(100));
  (void)UnitSampler::Make(0.3).value().Draw(100, some);
  EXPECT_EQ(all.Draw64(), some.Draw64());
}

TEST(UnitSamplerTest, ARareRateIsNotRoundedUpToAlways) {
  AesCtrStream random = StreamOf(5);
  EXPECT_THAT(UnitSampler::Make(1e-12).value().Draw(10'000, random), IsEmpty());
  const auto nearly_one = UnitSampler::Make(std::nextafter(1.0, 0.0)).value();
  EXPECT_THAT(nearly_one.Draw(1000, random), SizeIs(1000));
}

TEST(UnitSamplerTest, RefusesRatesThatAreNone) {
  for (const double q : {0.0, -0.1, 1.0001, std::nan(""), 1e-30}) {
    EXPECT_THAT(std::string(MessageOf(UnitSampler::Make(q).status())), HasSubstr("sampling rate")) << q;
  }
}

}  // namespace
}  // namespace aisle
