#include "privacy/unit_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "aggregation/norm.h"
#include "base/random.h"

namespace aisle {
namespace {

using ::testing::Each;

constexpr double kClip = 0.5;

struct Grid {
  UpdateShape shape;
  Quantizer quantizer;
};

Grid MakeGrid(size_t parameters, std::vector<double> bounds = {}) {
  const double share = bounds.empty() ? 0 : 0.3;
  const UpdateShape shape = UpdateShape::Make({.parameter_count = parameters,
                                               .metric_bounds = std::move(bounds),
                                               .clip_norm = kClip,
                                               .metric_share = share})
                                .value();
  return {shape, Quantizer::Make({.clip_norm = kClip, .length = shape.length(), .addends_max = 10}).value()};
}

std::vector<float> Vector(size_t length, double norm, RandomSource& random) {
  std::vector<float> values(length);
  for (float& value : values) value = static_cast<float>(random.Fraction() - 0.5);
  const double now = L2Norm(values);
  for (float& value : values) value = static_cast<float>(value * norm / now);
  return values;
}

double IntegerNorm(std::span<const int32_t> values) {
  double squares = 0;
  for (const int32_t value : values) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

AesCtrStream Stream(uint8_t seed) { return {SecretBytes::CopyOf(std::string(32, static_cast<char>(seed))), "test"}; }

// The sensitivity itself: whatever one unit's vector is, it moves the sum by at most Delta.
RC_GTEST_PROP(UnitSumProperty, OneUnitMovesTheSumByAtMostDelta, (uint8_t seed)) {
  AesCtrStream random = Stream(seed);
  const size_t length = 1 + random.Below(5000);
  const auto [shape, quantizer] = MakeGrid(length, {1.0, 100.0});
  UnitSum sum(shape, quantizer);
  const double norm = std::exp(20 * (random.Fraction() - 0.5)) * kClip;
  const std::vector<float> vector = Vector(length, norm, random);
  RC_ASSERT(sum.Add(vector, L2Norm(vector), std::vector<double>{2, -1e9}).ok());
  RC_ASSERT(IntegerNorm(sum.Take().Reveal()) <= static_cast<double>(quantizer.scale()));
}

// Wherever a sum is broken off and taken up again, with fine totals coming in afterwards.
RC_GTEST_PROP(UnitSumProperty, ASumThatIsTakenUpGoesOnAsIfNothingHadHappened, (uint8_t seed)) {
  AesCtrStream random = Stream(seed);
  const size_t length = 1 + random.Below(300);
  const auto [shape, quantizer] = MakeGrid(length, {1.0});
  UnitSum whole(shape, quantizer);
  auto parted = std::make_unique<UnitSum>(shape, quantizer);
  const uint64_t units = random.Below(20);
  const uint64_t breaks_after = random.Below(21);
  const auto take_up = [&] {
    auto next = std::make_unique<UnitSum>(shape, quantizer);
    next->TakeUp(parted->SoFar().Reveal());
    parted = std::move(next);
  };
  for (uint64_t i = 0; i < units; ++i) {
    if (i == breaks_after) take_up();
    const std::vector<float> vector = Vector(length, 2 * random.Fraction(), random);
    for (UnitSum* sum : {&whole, parted.get()}) RC_ASSERT(sum->Add(vector, L2Norm(vector), std::vector{0.5}).ok());
  }
  if (breaks_after >= units) take_up();
  std::vector<int64_t> totals(length);
  for (int64_t& total : totals) total = static_cast<int64_t>(random.Below(1 << 20)) - (1 << 19);
  for (UnitSum* sum : {&whole, parted.get()}) sum->AddFineTotals(0, totals);
  const SecretVector<int32_t> expected = whole.Take();
  const SecretVector<int32_t> taken = parted->Take();
  RC_ASSERT(std::ranges::equal(expected.Reveal(), taken.Reveal()));
}

// Neither an honest mistake of the caller nor a plan that plays tricks gets a unit over the bound.
TEST(UnitSumTest, AWrongNormDoesNotGetAUnitOverTheBound) {
  AesCtrStream random = Stream(1);
  const auto [shape, quantizer] = MakeGrid(1000);
  for (const double claimed : {0.0, 1e-30, kClip, 1.0}) {
    UnitSum sum(shape, quantizer);
    const std::vector<float> vector = Vector(1000, 1e6, random);
    ASSERT_TRUE(sum.Add(vector, claimed, {}).ok());
    const auto taken = sum.Take();
    EXPECT_LE(IntegerNorm(taken.Reveal()), static_cast<double>(quantizer.scale())) << claimed;
    EXPECT_GT(IntegerNorm(taken.Reveal()), 0.99 * static_cast<double>(quantizer.scale())) << claimed;
  }
}

TEST(UnitSumTest, WhatIsNotANumberAddsNothing) {
  const auto [shape, quantizer] = MakeGrid(4, {1.0});
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    UnitSum sum(shape, quantizer);
    const std::vector<float> vector = {0.1F, bad, 0.1F, 0.1F};
    ASSERT_TRUE(sum.Add(vector, L2Norm(vector), std::vector<double>{1}).ok());
    ASSERT_TRUE(sum.Add(vector, 0.1, std::vector<double>{1}).ok());  // Even if the caller didn't see it.
    EXPECT_THAT(sum.Take().Reveal(), Each(0));
  }
}

TEST(UnitSumTest, AZeroVectorCountsAndAddsOnlyItsMetrics) {
  const auto [shape, quantizer] = MakeGrid(3, {1.0});
  UnitSum sum(shape, quantizer);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(sum.Add(std::vector<float>(3), 0, std::vector<double>{1}).ok());
  const auto taken = sum.Take();
  EXPECT_EQ(taken.Reveal()[0], 0);
  EXPECT_NEAR(shape.MetricValue(0, quantizer.ToFloat(taken.Reveal()[3])), 5, 1e-3);
}

TEST(UnitSumTest, IsTheSumOfWhatTheQuantizerMakesOfEachUnit) {
  AesCtrStream random = Stream(2);
  const auto [shape, quantizer] = MakeGrid(200);
  UnitSum sum(shape, quantizer);
  std::vector<int64_t> expected(200);
  for (int unit = 0; unit < 30; ++unit) {
    const std::vector<float> vector = Vector(200, 0.1 + 0.01 * unit, random);  // All within the clip.
    ASSERT_TRUE(sum.Add(vector, L2Norm(vector), {}).ok());
    const auto quantized = quantizer.Quantize(vector);
    for (size_t i = 0; i < 200; ++i) expected[i] += quantized.Reveal()[i];
  }
  const auto taken = sum.Take();
  // A product in float may fall just under an integer where the one in double doesn't: one step a unit at most.
  for (size_t i = 0; i < 200; ++i) EXPECT_LE(std::abs(taken.Reveal()[i] - expected[i]), 30) << i;
}

// Weights times clip, one of the classic mistakes: a unit twice as long must not count twice.
TEST(UnitSumTest, LongVectorsCountNoMoreThanTheClip) {
  AesCtrStream random = Stream(3);
  const auto [shape, quantizer] = MakeGrid(50);
  const std::vector<float> at_clip = Vector(50, kClip, random);
  std::vector<float> longer = at_clip;
  for (float& value : longer) value *= 1000;
  UnitSum one(shape, quantizer);
  UnitSum other(shape, quantizer);
  ASSERT_TRUE(one.Add(at_clip, L2Norm(at_clip), {}).ok());
  ASSERT_TRUE(other.Add(longer, L2Norm(longer), {}).ok());
  const auto a = one.Take();
  const auto b = other.Take();
  for (size_t i = 0; i < 50; ++i) EXPECT_NEAR(a.Reveal()[i], b.Reveal()[i], 2);
}

TEST(UnitSumTest, DoesNotWrapHoweverManyUnitsCome) {
  const auto [shape, quantizer] = MakeGrid(1);
  UnitSum sum(shape, quantizer);
  const std::vector<float> whole = {static_cast<float>(kClip)};
  const int units = 70'000;  // Delta is 2^16: 2^31 is passed at 32,768.
  for (int i = 0; i < units; ++i) ASSERT_TRUE(sum.Add(whole, kClip, {}).ok());
  EXPECT_EQ(sum.Take().Reveal()[0], std::numeric_limits<int32_t>::max());
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(sum.Add(whole, kClip, {}).ok());
  EXPECT_EQ(sum.Take().Reveal()[0], 20'000 * quantizer.scale());  // Taking emptied it.
}

TEST(UnitSumTest, FineTotalsOfOneUnitMoveTheSumByAtMostDelta) {
  AesCtrStream random = Stream(4);
  const auto [shape, quantizer] = MakeGrid(3000);
  for (int trial = 0; trial < 50; ++trial) {
    const double size = trial % 2 == 0 ? 1e9 : 1e11;  // Within 32 bits, and not.
    UnitSum without(shape, quantizer);
    UnitSum with(shape, quantizer);
    std::vector<int64_t> totals(3000);
    for (int64_t& total : totals) total = std::llround((random.Fraction() - 0.5) * size);
    without.AddFineTotals(0, totals);
    const std::vector<float> unit = Vector(3000, with.fine_norm_max() * 0.999, random);
    for (size_t i = 0; i < unit.size(); ++i) totals[i] += static_cast<int64_t>(unit[i]);
    with.AddFineTotals(0, totals);
    const auto a = without.Take();
    const auto b = with.Take();
    std::vector<int32_t> difference(3000);
    for (size_t i = 0; i < 3000; ++i) difference[i] = b.Reveal()[i] - a.Reveal()[i];
    EXPECT_LE(IntegerNorm(difference), static_cast<double>(quantizer.scale()));
    EXPECT_GT(IntegerNorm(difference), 0.98 * static_cast<double>(quantizer.scale()));
  }
}

TEST(UnitSumTest, RefusesOtherLengthsAndAddsNothing) {
  const auto [shape, quantizer] = MakeGrid(3, {1.0});
  UnitSum sum(shape, quantizer);
  EXPECT_EQ(sum.Add(std::vector<float>(2), 0, std::vector<double>{1}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.Add(std::vector<float>(3), 0, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(sum.Take().Reveal(), Each(0));
}

}  // namespace
}  // namespace aisle
