#include "aggregation/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "base/codec.h"
#include "base/digest.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

Weights SmallWeights() {
  return {.layout = Layout::Make({{"w", {2, 2}}, {"b", {1}}}).value(), .values = {1.0F, -2.0F, 0.5F, 0.0F, 3.0F}};
}

TEST(WeightsTest, EncodeExactlyAsTheFormatSays) {
  const std::string bytes = EncodeWeights(SmallWeights());
  std::string expected =
      ByteWriter().Raw("AISLEW01").U32(2).String("w").U32(2).I64(2).I64(2).String("b").U32(1).I64(1).Take();
  ASSERT_EQ(expected.size(), 54U);
  expected.resize(64, '\0');
  for (const uint32_t word : {0x3f800000U, 0xc0000000U, 0x3f000000U, 0U, 0x40400000U}) {
    expected += ByteWriter().U32(word).Take();
  }
  EXPECT_EQ(ToHex(bytes), ToHex(expected));
  EXPECT_EQ(EncodedWeightsHeaderSize(SmallWeights().layout), 64U);
  EXPECT_EQ(EncodedWeightsSize(SmallWeights().layout), bytes.size());
}

RC_GTEST_PROP(WeightsProperty, DecodeUndoesEncode, (const std::vector<uint8_t>& dimensions)) {
  std::vector<TensorSpec> specs;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    specs.push_back({.name = fmt::format("t{}", i), .shape = {dimensions[i] % 5, 3}});
  }
  Weights weights{.layout = Layout::Make(specs).value(), .values = {}};
  weights.values = *rc::gen::container<std::vector<float>>(weights.layout.element_count(), rc::gen::arbitrary<float>());
  const auto decoded = DecodeWeights(EncodeWeights(weights));
  RC_ASSERT(decoded.ok());
  RC_ASSERT(*decoded == weights);
}

RC_GTEST_PROP(WeightsProperty, BytesWithOneEncodingEach, (const std::string& junk)) {
  // Whatever decodes, encodes back to the very same bytes.
  std::string bytes = EncodeWeights(SmallWeights());
  for (size_t i = 0; i < junk.size(); ++i) {
    const size_t at = (static_cast<size_t>(static_cast<unsigned char>(junk[i])) + 7 * i) % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (i % 8)));
  }
  const auto decoded = DecodeWeights(bytes);
  if (decoded.ok()) RC_ASSERT(EncodeWeights(*decoded) == bytes);
}

TEST(WeightsTest, RefusesEveryCut) {
  const std::string bytes = EncodeWeights(SmallWeights());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeWeights(std::string_view(bytes).substr(0, size)).status().code(), StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(DecodeWeights(bytes + "x").status().code(), StatusCode::kDataLoss);
}

TEST(WeightsTest, RefusesPaddingThatHidesSomething) {
  std::string bytes = EncodeWeights(SmallWeights());
  bytes[60] = 1;
  EXPECT_THAT(std::string(MessageOf(DecodeWeights(bytes).status())), HasSubstr("padding"));
}

TEST(WeightsTest, RefusesForeignBytesByName) {
  EXPECT_THAT(std::string(MessageOf(DecodeWeights("PK\x03\x04 an archive").status())), HasSubstr("AISLEW01"));
}

TEST(WeightsTest, RefusesHugeClaimsBeforeAskingForMemory) {
  const std::string tensors = ByteWriter().Raw("AISLEW01").U32(1U << 31).Take();
  EXPECT_EQ(DecodeWeights(tensors).status().code(), StatusCode::kInvalidArgument);
  const std::string rank = ByteWriter().Raw("AISLEW01").U32(1).String("w").U32(1U << 30).Take();
  EXPECT_EQ(DecodeWeights(rank).status().code(), StatusCode::kInvalidArgument);
  std::string elements = ByteWriter().Raw("AISLEW01").U32(1).String("w").U32(1).I64(1 << 28).Take();
  elements.resize(64, '\0');
  EXPECT_EQ(DecodeWeights(elements).status().code(), StatusCode::kDataLoss);
}

TEST(WeightsTest, ReadsTheLayoutFromTheHeaderAlone) {
  const std::string bytes = EncodeWeights(SmallWeights());
  const auto layout = DecodeWeightsLayout(std::string_view(bytes).substr(0, 64));
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(*layout, SmallWeights().layout);
}

TEST(WeightsTest, GivesTensorsAsSpans) {
  Weights weights = SmallWeights();
  weights.tensor(1)[0] = 9;
  EXPECT_THAT(weights.tensor(0), ::testing::ElementsAre(1.0F, -2.0F, 0.5F, 0.0F));
  EXPECT_EQ(weights.values[4], 9);
}

TEST(WeightsTest, NamesTheTensorThatIsNotFinite) {
  Weights weights = SmallWeights();
  EXPECT_TRUE(CheckFinite(weights).ok());
  weights.values[4] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(std::string(MessageOf(CheckFinite(weights))), HasSubstr("tensor b holds NaN at position 0"));
  weights.values[2] = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(std::string(MessageOf(CheckFinite(weights))), HasSubstr("tensor w holds an infinity at position 2"));
}

}  // namespace
}  // namespace aisle
