#include "aggregation/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace aisle {
namespace {

using ::testing::HasSubstr;

TEST(LayoutTest, LaysTensorsBackToBack) {
  const auto layout = Layout::Make({{"hidden.weight", {64, 40}}, {"hidden.bias", {64}}, {"scale", {}}});
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->size(), 3U);
  EXPECT_EQ(layout->element_count(), 64U * 40 + 64 + 1);
  EXPECT_EQ(layout->offset(0), 0U);
  EXPECT_EQ(layout->offset(1), 2560U);
  EXPECT_EQ(layout->offset(2), 2624U);
  EXPECT_EQ(layout->element_count(2), 1U);
}

TEST(LayoutTest, FindsTensorsByName) {
  const auto layout = Layout::Make({{"a", {2}}, {"b", {3}}});
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->Find("b"), 1U);
  EXPECT_EQ(layout->Find("c"), std::nullopt);
}

TEST(LayoutTest, IsEmptyByDefault) {
  EXPECT_EQ(Layout().size(), 0U);
  EXPECT_EQ(Layout().element_count(), 0U);
}

TEST(LayoutTest, AllowsTensorsWithoutElements) {
  const auto layout = Layout::Make({{"none", {0, 7}}, {"some", {2}}});
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->element_count(0), 0U);
  EXPECT_EQ(layout->offset(1), 0U);
}

struct BadLayout {
  std::string name;
  std::vector<TensorSpec> specs;
  std::string complaint;
};
class BadLayoutTest : public ::testing::TestWithParam<BadLayout> {};

TEST_P(BadLayoutTest, IsRefusedWithItsReason) {
  const auto layout = Layout::Make(GetParam().specs);
  ASSERT_FALSE(layout.ok());
  EXPECT_EQ(layout.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(layout.status())), HasSubstr(GetParam().complaint));
}

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    , BadLayoutTest,
    ::testing::Values(BadLayout{"NoName", {{"", {1}}}, "has no name"},
                      BadLayout{"LongName", {{std::string(257, 'a'), {1}}}, "257 characters"},
                      BadLayout{"StrangeName", {{"a/b", {1}}}, "other than letters"},
                      BadLayout{"NameWithNul", {{std::string("a\0b", 3), {1}}}, "other than letters"},
                      BadLayout{"TwinNames", {{"a", {1}}, {"a", {2}}}, "two tensors are called a"},
                      BadLayout{"NegativeDimension", {{"a", {-1}}}, "dimension of -1"},
                      BadLayout{"HugeDimension", {{"a", {kHuge, 2}}}, "a dimension of"},
                      BadLayout{"OverflowingProduct", {{"a", {1 << 28, 1 << 28, 1 << 28}}}, "over 268435456 numbers"},
                      BadLayout{"TooManyDimensions", {{"a", std::vector<int64_t>(9, 1)}}, "9 dimensions"},
                      BadLayout{"TooManyInAll", {{"a", {1 << 28}}, {"b", {1}}}, "from tensor b on"},
                      BadLayout{"TooManyTensors", std::vector<TensorSpec>(4097), "4097 tensors"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle
