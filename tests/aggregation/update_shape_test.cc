#include "aggregation/update_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace aisle {
namespace {

using ::testing::HasSubstr;

UpdateShape TwoMetrics() {
  return UpdateShape::Make(
             {.parameter_count = 100, .metric_bounds = {10.0, 2.0}, .clip_norm = 5.0, .metric_share = 0.6})
      .value();
}

TEST(UpdateShapeTest, SplitsTheNormBetweenParametersAndMetrics) {
  const UpdateShape shape = TwoMetrics();
  EXPECT_EQ(shape.length(), 102U);
  EXPECT_DOUBLE_EQ(shape.parameter_clip(), 4.0);
  EXPECT_DOUBLE_EQ(shape.metric_clip(), 3.0);
  EXPECT_NEAR(std::hypot(shape.parameter_clip(), shape.metric_clip()), shape.clip_norm(), 1e-15);
}

TEST(UpdateShapeTest, GivesAllTheNormToParametersWithoutMetrics) {
  const auto shape =
      UpdateShape::Make({.parameter_count = 3, .metric_bounds = {}, .clip_norm = 5, .metric_share = 0.1});
  ASSERT_TRUE(shape.ok());
  EXPECT_EQ(shape->parameter_clip(), 5.0);
  EXPECT_EQ(shape->metric_clip(), 0.0);
}

TEST(UpdateShapeTest, FullMetricsTogetherJustFillTheirShare) {
  const UpdateShape shape = TwoMetrics();
  EXPECT_NEAR(std::hypot(shape.MetricSlot(0, 10.0), shape.MetricSlot(1, -2.0)), shape.metric_clip(), 1e-6);
}

TEST(UpdateShapeTest, ClampsMetricsToTheirBounds) {
  const UpdateShape shape = TwoMetrics();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(shape.MetricSlot(0, 1e300), shape.MetricSlot(0, 10.0));
  EXPECT_EQ(shape.MetricSlot(1, -kInfinity), shape.MetricSlot(1, -2.0));
  EXPECT_EQ(shape.MetricSlot(0, std::nan("")), 0.0F);
}

RC_GTEST_PROP(UpdateShapeProperty, SlotsTurnBackIntoValues, ()) {
  const UpdateShape shape = TwoMetrics();
  const double value = *rc::gen::inRange(-2000, 2001) / 1000.0;
  RC_ASSERT(std::fabs(shape.MetricValue(1, shape.MetricSlot(1, value)) - value) < 1e-6);
}

TEST(UpdateShapeTest, RefusesOptionsOutOfRange) {
  const UpdateShapeOptions good{.parameter_count = 1, .metric_bounds = {1.0}, .clip_norm = 1, .metric_share = 0.1};
  EXPECT_TRUE(UpdateShape::Make(good).ok());
  const auto complaint = [&](auto change) {
    UpdateShapeOptions options = good;
    change(options);
    const auto shape = UpdateShape::Make(options);
    return shape.ok() ? std::string("none") : std::string(MessageOf(shape.status()));
  };
  EXPECT_THAT(complaint([](auto& o) { o.parameter_count = 0; }), HasSubstr("0 parameters"));
  EXPECT_THAT(complaint([](auto& o) { o.metric_bounds = {0.0}; }), HasSubstr("bound is 0"));
  EXPECT_THAT(complaint([](auto& o) { o.metric_bounds = {std::nan("")}; }), HasSubstr("bound is nan"));
  EXPECT_THAT(complaint([](auto& o) { o.metric_bounds.assign(kMetricsMax + 1, 1.0); }), HasSubstr("69 metrics"));
  EXPECT_THAT(complaint([](auto& o) { o.metric_share = 0; }), HasSubstr("metric_share is 0"));
  EXPECT_THAT(complaint([](auto& o) { o.metric_share = 1; }), HasSubstr("metric_share is 1"));
  EXPECT_THAT(complaint([](auto& o) { o.clip_norm = std::nan(""); }), HasSubstr("clip_norm is nan"));
}

}  // namespace
}  // namespace aisle
