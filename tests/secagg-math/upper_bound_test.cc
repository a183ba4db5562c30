#include "privacy/secagg/upper_bound.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace aisle::secagg {
namespace {

UpperBound TwoToMinus(int bits) {
  UpperBound value(1);
  for (int i = 0; i < bits; ++i) value.MultiplyBy(1, 2);
  return value;
}

TEST(UpperBoundTest, ComparesPowersOfTwoExactly) {
  for (const int bits : {0, 1, 40, 63, 64, 65, 200, 100'000}) {
    EXPECT_TRUE(TwoToMinus(bits).IsAtMostTwoToMinus(bits)) << bits;
    EXPECT_FALSE(TwoToMinus(bits).IsAtMostTwoToMinus(bits + 1)) << bits;
    EXPECT_TRUE(TwoToMinus(bits + 1).IsAtMostTwoToMinus(bits)) << bits;
  }
  EXPECT_TRUE(UpperBound(0).IsAtMostTwoToMinus(1'000'000));
}

TEST(UpperBoundTest, RoundsUpAndByLittle) {
  UpperBound third(1);
  third.MultiplyBy(1, 3);
  third.MultiplyBy(3, 1);
  EXPECT_FALSE(third.IsAtMostTwoToMinus(0)) << "3 * (1/3 rounded up) is above 1";
  third.MultiplyBy((uint64_t{1} << 60) - 1, uint64_t{1} << 60);
  EXPECT_TRUE(third.IsAtMostTwoToMinus(0)) << "but not by 2^-60";
  UpperBound least(1);
  least.MultiplyBy(1, ~uint64_t{0});
  EXPECT_FALSE(least.IsAtMostTwoToMinus(64)) << "1 / (2^64 - 1) is above 2^-64";
  least.MultiplyBy((uint64_t{1} << 60) - 1, uint64_t{1} << 60);
  EXPECT_TRUE(least.IsAtMostTwoToMinus(64)) << "but not by 2^-60 of it";
}

TEST(UpperBoundTest, WhatASumLosesCountsAsAUnit) {
  for (const int far : {1, 30, 63, 64, 65, 500}) {
    UpperBound sum = TwoToMinus(0);
    sum += TwoToMinus(far);
    EXPECT_FALSE(sum.IsAtMostTwoToMinus(0)) << far;
    UpperBound turned = TwoToMinus(far);
    turned += TwoToMinus(0);
    EXPECT_FALSE(turned.IsAtMostTwoToMinus(0)) << far;
  }
  UpperBound half = TwoToMinus(1);
  half += TwoToMinus(1);
  EXPECT_TRUE(half.IsAtMostTwoToMinus(0)) << "nothing was lost";
  half += UpperBound(0);
  EXPECT_TRUE(half.IsAtMostTwoToMinus(0));
}

TEST(UpperBoundTest, TheLargestWordsKeepTheirValue) {
  for (const uint64_t word : {~uint64_t{0}, ~uint64_t{0} - 1, (uint64_t{1} << 63) + 1, uint64_t{1}}) {
    UpperBound value(word);
    value.MultiplyBy(word, 1);  // A product of 128 bits rounds up once.
    value.MultiplyBy(1, word);
    value.MultiplyBy(1, word);
    UpperBound less = value;
    less.MultiplyBy((uint64_t{1} << 60) - 1, uint64_t{1} << 60);
    EXPECT_TRUE(less.IsAtMostTwoToMinus(0)) << word;
  }
}

// Between the value and a hair above it, over chains of ratios, against extended doubles.
RC_GTEST_PROP(UpperBoundTest, StaysAtOrJustAboveTheTruth, ()) {
  const auto ratios = *rc::gen::container<std::vector<std::pair<uint32_t, uint32_t>>>(
      rc::gen::pair(rc::gen::inRange<uint32_t>(1, 1u << 31), rc::gen::inRange<uint32_t>(1, 1u << 31)));
  UpperBound value(1);
  long double log2 = 0;
  for (const auto& [numerator, denominator] : ratios) {
    value.MultiplyBy(numerator, denominator);
    log2 += std::log2(static_cast<long double>(numerator)) - std::log2(static_cast<long double>(denominator));
  }
  const auto above = static_cast<int>(std::floor(-log2 - 1e-9L));  // 2^-above is surely more than the value.
  const auto below = static_cast<int>(std::ceil(-log2 + 1e-9L));   // 2^-below is surely less.
  RC_ASSERT(value.IsAtMostTwoToMinus(above));
  RC_ASSERT(!value.IsAtMostTwoToMinus(below));
}

}  // namespace
}  // namespace aisle::secagg
