#include "aggregation/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "aggregation/norm.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Quantizer MakeQuantizer(size_t length, double clip_norm = 1.0) {
  return Quantizer::Make({.clip_norm = clip_norm, .length = length, .addends_max = 100}).value();
}

std::vector<int32_t> Quantized(const Quantizer& quantizer, const std::vector<float>& values) {
  const SecretVector<int32_t> result = quantizer.Quantize(values);
  return {result.Reveal().begin(), result.Reveal().end()};
}

TEST(QuantizerTest, TruncatesTowardZero) {
  const Quantizer quantizer = MakeQuantizer(4, 2.0);
  EXPECT_EQ(quantizer.scale(), 65536);
  EXPECT_THAT(Quantized(quantizer, {1.0F, -1.0F, 0.00005F, -0.00005F}), ElementsAre(32768, -32768, 1, -1));
  EXPECT_EQ(quantizer.ToFloat(32768), 1.0);
}

TEST(QuantizerTest, TakesTheLongestVectorWhole) {
  const Quantizer quantizer = MakeQuantizer(2);
  EXPECT_THAT(Quantized(quantizer, {1.0F, 0.0F}), ElementsAre(65536, 0));
  EXPECT_THAT(Quantized(quantizer, {0.0F, -1.0F}), ElementsAre(0, -65536));
}

TEST(QuantizerTest, MakesVectorsThatAreNotNumbersZero) {
  const Quantizer quantizer = MakeQuantizer(2);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(Quantized(quantizer, {0.5F, bad}), ElementsAre(0, 0));
  }
}

TEST(QuantizerTest, ScalesDownWhatIsOverTheNorm) {
  const Quantizer quantizer = MakeQuantizer(2);
  const std::vector<int32_t> quantized = Quantized(quantizer, {3e38F, 3e38F});
  EXPECT_NEAR(quantized[0], 65536 / std::sqrt(2.0), 1);
  EXPECT_TRUE(quantizer.CheckNorm(quantized).ok());
}

std::vector<float> AnyFloats(size_t length) {
  const auto part =
      rc::gen::map(rc::gen::pair(rc::gen::arbitrary<int32_t>(), rc::gen::inRange(-30, 15)),
                   [](auto pair) { return std::ldexp(static_cast<float>(pair.first), pair.second - 31); });
  return *rc::gen::container<std::vector<float>>(length, part);
}

RC_GTEST_PROP(QuantizerProperty, NeverLetsTheNormGrow, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 200);
  const double clip_norm = std::ldexp(*rc::gen::inRange(1, 1000), *rc::gen::inRange(-16, 8));
  const Quantizer quantizer = MakeQuantizer(length, clip_norm);
  const std::vector<int32_t> quantized = Quantized(quantizer, AnyFloats(length));
  RC_ASSERT(quantizer.CheckNorm(quantized).ok());
}

RC_GTEST_PROP(QuantizerProperty, LosesLessThanOneUnitPerCoordinate, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 50);
  std::vector<float> values = AnyFloats(length);
  const double clip_norm = std::clamp(L2Norm(values) * 1.001, 1e-6, 1e6);
  RC_PRE(L2Norm(values) <= clip_norm);
  const Quantizer quantizer = MakeQuantizer(length, clip_norm);
  const std::vector<int32_t> quantized = Quantized(quantizer, values);
  for (size_t i = 0; i < length; ++i) {
    RC_ASSERT(std::fabs(quantizer.ToFloat(quantized[i])) <= std::fabs(values[i]) * (1 + 1e-12));
    RC_ASSERT(std::fabs(quantizer.ToFloat(quantized[i]) - values[i]) < quantizer.ToFloat(1) * (1 + 1e-6));
  }
}

TEST(QuantizerTest, ChecksTheIntegerNormExactly) {
  const Quantizer quantizer = MakeQuantizer(2);
  EXPECT_TRUE(quantizer.CheckNorm(std::vector<int32_t>{65536, 0}).ok());
  EXPECT_FALSE(quantizer.CheckNorm(std::vector<int32_t>{65536, 1}).ok());
  EXPECT_FALSE(quantizer.CheckNorm(std::vector<int32_t>{-65537, 0}).ok());
  // 3-4-5: sqrt((3k)^2 + (4k)^2) = 5k, 5k just over and under 65536.
  EXPECT_TRUE(quantizer.CheckNorm(std::vector<int32_t>{3 * 13107, -4 * 13107}).ok());
  EXPECT_FALSE(quantizer.CheckNorm(std::vector<int32_t>{3 * 13108, 4 * 13108}).ok());
}

TEST(QuantizerTest, IsNotFooledByNormsThatWrap) {
  // Four squares of 2^62 are 2^64: zero in 64 bits.
  const Quantizer quantizer = MakeQuantizer(4);
  const std::vector<int32_t> huge(4, std::numeric_limits<int32_t>::min());
  EXPECT_FALSE(quantizer.CheckNorm(huge).ok());
}

TEST(QuantizerTest, DoesNotTellTheNormInItsRefusal) {
  const Quantizer quantizer = MakeQuantizer(2);
  const Status status = quantizer.CheckNorm(std::vector<int32_t>{70001, 0});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::Not(HasSubstr("70001")));
  EXPECT_THAT(std::string(MessageOf(quantizer.CheckNorm(std::vector<int32_t>{1}))), HasSubstr("1 coordinates"));
}

struct ScaleCase {
  std::string name;
  QuantizerOptions options;
  int64_t scale;
};
class QuantizerScaleTest : public ::testing::TestWithParam<ScaleCase> {};

TEST_P(QuantizerScaleTest, LeavesHeadroomForSumAndNoise) {
  const auto quantizer = Quantizer::Make(GetParam().options);
  ASSERT_TRUE(quantizer.ok()) << quantizer.status();
  EXPECT_EQ(quantizer->scale(), GetParam().scale);
  const int64_t worst_sum = int64_t{quantizer->coordinate_max()} * GetParam().options.addends_max;
  EXPECT_LE(worst_sum, std::numeric_limits<int32_t>::max());
  EXPECT_GE(quantizer->coordinate_max(),
            static_cast<double>(quantizer->scale()) * (1 + 6 * GetParam().options.noise_multiplier));
}

INSTANTIATE_TEST_SUITE_P(
    , QuantizerScaleTest,
    ::testing::Values(
        ScaleCase{"Small", {.clip_norm = 1, .length = 1, .addends_max = 1}, 1 << 16},
        ScaleCase{"ModelOf2To24", {.clip_norm = 1, .length = 1 << 24, .addends_max = 100}, 1 << 16},
        ScaleCase{"OneMore", {.clip_norm = 1, .length = (1 << 24) + 1, .addends_max = 100}, 1 << 17},
        ScaleCase{"Largest", {.clip_norm = 1, .length = 1 << 28, .addends_max = 100}, 1 << 18},
        ScaleCase{"Chain", {.clip_norm = 1, .length = 5000, .addends_max = 20000}, 1 << 16},
        ScaleCase{"NoisyChain", {.clip_norm = 1, .length = 5000, .addends_max = 20000, .noise_multiplier = 1}, 1 << 13},
        ScaleCase{"Crowd", {.clip_norm = 1, .length = 5000, .addends_max = 1 << 20}, 1 << 10}),
    [](const auto& test) { return test.param.name; });

TEST(QuantizerTest, RefusesOptionsOutOfRange) {
  const QuantizerOptions good{.clip_norm = 1, .length = 10, .addends_max = 10};
  EXPECT_TRUE(Quantizer::Make(good).ok());
  for (const double clip_norm : {0.0, -1.0, 1e7, std::nan("")}) {
    QuantizerOptions options = good;
    options.clip_norm = clip_norm;
    EXPECT_EQ(Quantizer::Make(options).status().code(), StatusCode::kInvalidArgument) << clip_norm;
  }
  for (const double noise : {-1.0, 1e9, std::nan("")}) {
    QuantizerOptions options = good;
    options.noise_multiplier = noise;
    EXPECT_EQ(Quantizer::Make(options).status().code(), StatusCode::kInvalidArgument) << noise;
  }
  EXPECT_FALSE(Quantizer::Make({.clip_norm = 1, .length = 0, .addends_max = 1}).ok());
  EXPECT_FALSE(Quantizer::Make({.clip_norm = 1, .length = 1, .addends_max = 0}).ok());
  const auto crowded = Quantizer::Make({.clip_norm = 1, .length = 1, .addends_max = 1U << 30});
  EXPECT_THAT(std::string(MessageOf(crowded.status())), HasSubstr("don't fit into 32 bits"));
}

}  // namespace
}  // namespace aisle
