#include "aggregation/model_average.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace aisle {
namespace {

using Models = std::vector<std::vector<float>>;

std::vector<float> AverageOf(const Models& models, uint32_t rounds) {
  std::vector<float> average(models.front().size(), std::numeric_limits<float>::quiet_NaN());
  for (size_t t = 0; t < models.size(); ++t) EXPECT_TRUE(MoveAverage(average, models[t], t + 1, rounds).ok());
  return average;
}

Models DrawModels(size_t count, size_t length) {
  Models models(count, std::vector<float>(length));
  for (auto& model : models) {
    for (float& value : model) value = static_cast<float>(*rc::gen::inRange(-1'000'000, 1'000'000)) / 1000.0F;
  }
  return models;
}

RC_GTEST_PROP(ModelAverageProperty, IsTheArithmeticMeanAsLongAsEveryModelIsWithin, ()) {
  const auto count = *rc::gen::inRange<size_t>(1, 40);
  const Models models = DrawModels(count, 3);
  const std::vector<float> average = AverageOf(models, static_cast<uint32_t>(*rc::gen::inRange<size_t>(count, 50)));
  for (size_t i = 0; i < 3; ++i) {
    double mean = 0;
    for (const auto& model : models) mean += model[i] / static_cast<double>(count);
    RC_ASSERT(std::abs(average[i] - mean) <= 1e-3);  // 40 roundings to float32 below 1,000.
  }
}

// The definition unrolled: model t weighs 1/N, times 1 - 1/N for each later one; the first N share the rest evenly.
RC_GTEST_PROP(ModelAverageProperty, ThenForgetsOlderModelsByAConstantFactor, ()) {
  const auto rounds = *rc::gen::inRange<size_t>(1, 10);
  const auto count = rounds + *rc::gen::inRange<size_t>(1, 30);
  const Models models = DrawModels(count, 1);
  const double keep = 1 - 1 / static_cast<double>(rounds);
  double mean = 0;
  double weights = 0;
  for (size_t t = 1; t <= count; ++t) {
    const double age = static_cast<double>(count - std::max(t, rounds));
    const double weight = std::pow(keep, age) / static_cast<double>(rounds);
    mean += weight * models[t - 1][0];
    weights += weight;
  }
  RC_ASSERT(std::abs(weights - 1) < 1e-9);
  RC_ASSERT(std::abs(AverageOf(models, static_cast<uint32_t>(rounds))[0] - mean) <= 1e-3);
}

TEST(ModelAverageTest, OverOneRoundIsTheLastModelToTheBit) {
  const Models models = {{1.5F, -0.0F}, {0.1F, 3e38F}, {-7.25F, 1e-40F}};
  for (size_t t = 0; t < models.size(); ++t) {
    EXPECT_EQ(AverageOf({models.begin(), models.begin() + static_cast<std::ptrdiff_t>(t) + 1}, 1), models[t]);
  }
}

TEST(ModelAverageTest, WhatNeverMovesStaysToTheBit) {
  const std::vector<float> frozen = {0.1F, -3.7e-12F, 2.5e30F};
  EXPECT_EQ(AverageOf(Models(100, frozen), 7), frozen);
}

TEST(ModelAverageTest, OppositeExtremesStayWithinTheFloatRange) {
  constexpr float kMax = std::numeric_limits<float>::max();
  EXPECT_EQ(AverageOf({{kMax}, {-kMax}}, 2).front(), 0.0F);
}

TEST(ModelAverageTest, CancelsWhatChangesSignFromRoundToRound) {
  Models models;
  for (int t = 0; t < 16; ++t) models.push_back({t % 2 == 0 ? 1.5F : 0.5F});
  EXPECT_FLOAT_EQ(AverageOf(models, 16).front(), 1.0F);
}

TEST(ModelAverageTest, RefusesWhatIsNoAverageAndChangesNothing) {
  std::vector<float> average = {1, 2};
  const std::vector<float> model = {3, 4};
  EXPECT_EQ(MoveAverage(average, std::span(model).first(1), 2, 5).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MoveAverage(average, model, 0, 5).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MoveAverage(average, model, 2, 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MoveAverage(average, model, 2, kAverageRoundsMax + 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(average, (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace aisle
