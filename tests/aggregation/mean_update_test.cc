#include "aggregation/mean_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace aisle {
namespace {

using ::testing::ElementsAre;

struct Scene {
  UpdateShape shape =
      UpdateShape::Make({.parameter_count = 3, .metric_bounds = {10.0}, .clip_norm = 2.0, .metric_share = 0.5}).value();
  Quantizer quantizer = Quantizer::Make({.clip_norm = 2.0, .length = 4, .addends_max = 10}).value();
  ModularSum sum{4};

  void AddStore(const std::vector<float>& parameters, double metric) {
    std::vector<float> vector = parameters;
    vector.push_back(shape.MetricSlot(0, metric));
    const SecretVector<int32_t> quantized = quantizer.Quantize(vector);
    const std::vector<uint32_t> wire(quantized.Reveal().begin(), quantized.Reveal().end());
    ASSERT_TRUE(sum.Add(wire).ok());
  }
};

TEST(MeanUpdateTest, IsTheMeanOfWhatStoresSent) {
  Scene scene;
  scene.AddStore({0.5F, -1.0F, 0.0F}, 8.0);
  scene.AddStore({0.25F, 0.5F, -0.5F}, -2.0);
  const auto mean = MeanOf(scene.sum, scene.quantizer, scene.shape, 2);
  ASSERT_TRUE(mean.ok()) << mean.status();
  EXPECT_THAT(mean->parameters, ElementsAre(0.375F, -0.25F, -0.25F));
  ASSERT_EQ(mean->metrics.size(), 1U);
  EXPECT_NEAR(mean->metrics[0], 3.0, 1e-3);
  EXPECT_EQ(MeanMetrics(scene.sum, scene.quantizer, scene.shape, 2).value(), mean->metrics);
}

TEST(MeanUpdateTest, ShrinksByThePublicDivisorWhenStoresStayAway) {
  Scene scene;
  scene.AddStore({0.5F, -1.0F, 0.25F}, 4.0);
  const auto mean = MeanOf(scene.sum, scene.quantizer, scene.shape, 4);
  ASSERT_TRUE(mean.ok());
  EXPECT_THAT(mean->parameters, ElementsAre(0.125F, -0.25F, 0.0625F));
  EXPECT_NEAR(mean->metrics[0], 1.0, 1e-3);
}

TEST(MeanUpdateTest, OfNothingIsZero) {
  const Scene scene;
  const auto mean = MeanOf(scene.sum, scene.quantizer, scene.shape, 1);
  ASSERT_TRUE(mean.ok());
  EXPECT_THAT(mean->parameters, ::testing::Each(0.0F));
  EXPECT_THAT(mean->metrics, ElementsAre(0.0));
}

TEST(MeanUpdateTest, RefusesPartsThatDoNotBelongTogether) {
  const Scene scene;
  EXPECT_EQ(MeanOf(ModularSum(5), scene.quantizer, scene.shape, 1).status().code(), StatusCode::kInvalidArgument);
  const Quantizer longer = Quantizer::Make({.clip_norm = 2.0, .length = 5, .addends_max = 10}).value();
  EXPECT_EQ(MeanOf(scene.sum, longer, scene.shape, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MeanOf(scene.sum, scene.quantizer, scene.shape, 0).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle
