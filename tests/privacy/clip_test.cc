#include "privacy/clip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "aggregation/norm.h"
#include "aggregation/quantizer.h"

namespace aisle {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ClipTest, LeavesShortVectorsAlone) {
  std::vector<float> values = {3.0F, -4.0F};
  const ClipReport report = ClipInPlace(values, 5.0);
  EXPECT_THAT(values, ElementsAre(3.0F, -4.0F));
  EXPECT_EQ(report.norm, 5.0);
  EXPECT_FALSE(report.clipped);
}

TEST(ClipTest, ScalesLongVectorsKeepingTheirDirection) {
  std::vector<float> values = {30.0F, -40.0F};
  const ClipReport report = ClipInPlace(values, 5.0);
  EXPECT_NEAR(values[0], 3.0, 1e-5);
  EXPECT_NEAR(values[1], -4.0, 1e-5);
  EXPECT_EQ(report.norm, 50.0);
  EXPECT_TRUE(report.clipped);
}

TEST(ClipTest, MakesVectorsThatAreNotNumbersZero) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> values = {1.0F, bad, 2.0F};
    const ClipReport report = ClipInPlace(values, 5.0);
    EXPECT_THAT(values, Each(0.0F));
    EXPECT_TRUE(report.non_finite);
    EXPECT_EQ(report.norm, 0.0);
  }
}

TEST(ClipTest, TakesZeroAndNothing) {
  std::vector<float> zero(3);
  EXPECT_FALSE(ClipInPlace(zero, 1.0).clipped);
  EXPECT_THAT(zero, Each(0.0F));
  EXPECT_EQ(ClipInPlace({}, 1.0).norm, 0.0);
}

TEST(ClipTest, SurvivesTheLargestFloats) {
  std::vector<float> values(1000, std::numeric_limits<float>::max());
  EXPECT_TRUE(ClipInPlace(values, 1.0).clipped);
  EXPECT_LE(L2Norm(values), 1.0);
  EXPECT_GT(L2Norm(values), 0.999);
}

RC_GTEST_PROP(ClipProperty, NeverLeavesMoreThanTheNorm, ()) {
  std::vector<float> values = *rc::gen::container<std::vector<float>>(
      *rc::gen::inRange<size_t>(1, 300),
      rc::gen::map(rc::gen::inRange(-1000000, 1000000), [](int n) { return static_cast<float>(n) * 1.2345e-3F; }));
  const double clip_norm = *rc::gen::inRange(1, 100000) * 1e-3;
  const double before = L2Norm(values);
  const ClipReport report = ClipInPlace(values, clip_norm);
  RC_ASSERT(L2Norm(values) <= clip_norm);
  RC_ASSERT(report.clipped == (before > clip_norm));
  if (report.clipped) RC_ASSERT(L2Norm(values) >= clip_norm * (1 - 1e-6));
}

RC_GTEST_PROP(ClipProperty, ClippingAgainChangesNothing, ()) {
  std::vector<float> values = *rc::gen::container<std::vector<float>>(
      20, rc::gen::map(rc::gen::inRange(-1000, 1000), [](int n) { return static_cast<float>(n); }));
  ClipInPlace(values, 3.0);
  const std::vector<float> once = values;
  RC_ASSERT(!ClipInPlace(values, 3.0).clipped);
  RC_ASSERT(values == once);
}

UpdateShape Shape() {
  return UpdateShape::Make({.parameter_count = 2, .metric_bounds = {10.0, 1.0}, .clip_norm = 5.0, .metric_share = 0.6})
      .value();
}

TEST(ClippedUpdateTest, ClipsParametersAndMetricsEachToTheirShare) {
  UpdateClipReport report;
  const auto update =
      ClippedUpdate(std::vector<float>{300.0F, 400.0F}, std::vector<double>{5.0, 7.0}, Shape(), &report);
  ASSERT_TRUE(update.ok());
  const std::span<const float> values = update->Reveal();
  ASSERT_EQ(values.size(), 4U);
  EXPECT_NEAR(values[0], 2.4, 1e-5);
  EXPECT_NEAR(values[1], 3.2, 1e-5);
  EXPECT_NEAR(values[2], 0.5 * 3 / std::sqrt(2), 1e-6);
  EXPECT_NEAR(values[3], 3 / std::sqrt(2), 1e-6);
  EXPECT_TRUE(report.parameters.clipped);
  EXPECT_EQ(report.parameters.norm, 500.0);
  EXPECT_TRUE(report.metrics.clipped);
}

TEST(ClippedUpdateTest, FitsTheQuantizerAtItsFullest) {
  const auto update = ClippedUpdate(std::vector<float>{4e9F, 0.0F}, std::vector<double>{1e9, 1e9}, Shape());
  ASSERT_TRUE(update.ok());
  EXPECT_LE(L2Norm(update->Reveal()), 5.0);
  const Quantizer quantizer = Quantizer::Make({.clip_norm = 5.0, .length = 4, .addends_max = 10}).value();
  EXPECT_TRUE(quantizer.CheckNorm(quantizer.Quantize(update->Reveal()).Reveal()).ok());
}

TEST(ClippedUpdateTest, ABrokenUpdateSaysNothingAtAll) {
  UpdateClipReport report;
  const auto update = ClippedUpdate(std::vector<float>{1.0F, kNan}, std::vector<double>{5.0, 0.5}, Shape(), &report);
  ASSERT_TRUE(update.ok());
  EXPECT_THAT(update->Reveal(), Each(0.0F));
  EXPECT_TRUE(report.parameters.non_finite);
}

TEST(ClippedUpdateTest, ABrokenMetricCountsAsZero) {
  UpdateClipReport report;
  const auto update =
      ClippedUpdate(std::vector<float>{1.0F, 0.0F}, std::vector<double>{std::nan(""), 1.0}, Shape(), &report);
  ASSERT_TRUE(update.ok());
  EXPECT_EQ(update->Reveal()[0], 1.0F);
  EXPECT_EQ(update->Reveal()[2], 0.0F);
  EXPECT_TRUE(report.metrics.non_finite);
}

TEST(ClippedUpdateTest, RefusesLengthsOfAnotherPlan) {
  EXPECT_EQ(ClippedUpdate(std::vector<float>{1.0F}, std::vector<double>{1.0, 1.0}, Shape()).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ClippedUpdate(std::vector<float>{1.0F, 1.0F}, {}, Shape()).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle
