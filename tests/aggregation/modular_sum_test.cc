#include "aggregation/modular_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include "aggregation/fold.h"
#include "base/random.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;

std::string BytesOf(const std::vector<uint32_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(uint32_t)};
}

std::vector<uint32_t> AnyVector(size_t length) {
  return *rc::gen::container<std::vector<uint32_t>>(length, rc::gen::resize(1000, rc::gen::arbitrary<uint32_t>()));
}

TEST(ModularSumTest, WrapsAroundAndComesBack) {
  ModularSum sum(2);
  ASSERT_TRUE(sum.AddBytes(BytesOf({0xffffffff, 5}), 0).ok());
  ASSERT_TRUE(sum.AddBytes(BytesOf({3, 0xfffffffe}), 0).ok());
  EXPECT_THAT(sum.values(), ElementsAre(2, 3));
}

TEST(ModularSumTest, ReadsSumsAsCentered) {
  ModularSum sum(4);
  ASSERT_TRUE(sum.Add(std::vector<uint32_t>{0, 0xffffffff, 0x80000000, 0x7fffffff}).ok());
  EXPECT_EQ(sum.Centered(0), 0);
  EXPECT_EQ(sum.Centered(1), -1);
  EXPECT_EQ(sum.Centered(2), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(sum.Centered(3), std::numeric_limits<int32_t>::max());
}

RC_GTEST_PROP(ModularSumProperty, AnyOrderGivesTheSameSum, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 40);
  std::vector<std::vector<uint32_t>> vectors(*rc::gen::inRange<size_t>(1, 8));
  std::ranges::generate(vectors, [&] { return AnyVector(length); });
  ModularSum forward(length);
  ModularSum backward(length);
  for (const auto& vector : vectors) RC_ASSERT(forward.AddBytes(BytesOf(vector), 0).ok());
  std::ranges::reverse(vectors);
  for (const auto& vector : vectors) RC_ASSERT(backward.Add(vector).ok());
  RC_ASSERT(forward == backward);
}

RC_GTEST_PROP(ModularSumProperty, PartialSumsAddLikeAnyOther, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 40);
  const std::vector<uint32_t> a = AnyVector(length);
  const std::vector<uint32_t> b = AnyVector(length);
  ModularSum whole(length);
  RC_ASSERT(whole.Add(a).ok() && whole.Add(b).ok());
  ModularSum left(length);
  RC_ASSERT(left.Add(a).ok());
  const auto right = ModularSum::FromBytes(BytesOf(b));
  RC_ASSERT(right.ok() && left.Add(*right).ok());
  RC_ASSERT(left == whole);
  RC_ASSERT(ModularSum::FromBytes(whole.bytes()).value() == whole);
}

RC_GTEST_PROP(ModularSumProperty, SubtractUndoesAdd, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 100);
  ModularSum sum(length);
  RC_ASSERT(sum.Add(AnyVector(length)).ok());
  const ModularSum before = sum;
  const auto first = *rc::gen::inRange<size_t>(0, length);
  const std::string bytes = BytesOf(AnyVector(length - first));
  RC_ASSERT(sum.AddBytes(bytes, first).ok());
  RC_ASSERT(sum.SubtractBytes(bytes, first).ok());
  RC_ASSERT(sum == before);
}

RC_GTEST_PROP(ModularSumProperty, ChunksAtAnyCutEqualTheWhole, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 300);
  const std::string bytes = BytesOf(AnyVector(length));
  const auto cut = *rc::gen::inRange<size_t>(0, length + 1);
  ModularSum whole(length);
  RC_ASSERT(whole.AddBytes(bytes, 0).ok());
  ModularSum chunked(length);
  RC_ASSERT(chunked.AddBytes(std::string_view(bytes).substr(4 * cut), cut).ok());
  RC_ASSERT(chunked.AddBytes(std::string_view(bytes).substr(0, 4 * cut), 0).ok());
  RC_ASSERT(chunked == whole);
}

TEST(ModularSumTest, FoldsFromEveryAlignmentAndLength) {
  AesCtrStream random(SecretBytes(32), "test");
  std::vector<uint8_t> raw(4 * 140 + 4);
  random.Fill(raw);
  for (size_t shift = 0; shift < 4; ++shift) {
    for (size_t count = 0; count <= 140; ++count) {
      const char* bytes = reinterpret_cast<const char*>(raw.data()) + shift;
      std::vector<uint32_t> sum(141, 7);
      FoldAdd(sum.data(), bytes, count);
      for (size_t i = 0; i < count; ++i) {
        uint32_t word;
        std::memcpy(&word, bytes + 4 * i, 4);
        ASSERT_EQ(sum[i], 7 + word);
      }
      ASSERT_EQ(sum[count], 7U);
      FoldSubtract(sum.data(), bytes, count);
      ASSERT_THAT(sum, ::testing::Each(7U));
    }
  }
}

TEST(ModularSumTest, RefusesWhatDoesNotFitAndChangesNothing) {
  ModularSum sum(4);
  ASSERT_TRUE(sum.Add(std::vector<uint32_t>{1, 2, 3, 4}).ok());
  const ModularSum before = sum;
  EXPECT_EQ(sum.AddBytes("abc", 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.AddBytes(BytesOf({1, 2}), 3).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.AddBytes(BytesOf({1}), 4).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.SubtractBytes(BytesOf({1}), std::numeric_limits<size_t>::max()).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.Add(std::vector<uint32_t>{1}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum.Add(ModularSum(5)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ModularSum::FromBytes("12345").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(sum, before);
}

TEST(ModularSumTest, TakesNothingAnywhereInside) {
  ModularSum sum(4);
  EXPECT_TRUE(sum.AddBytes("", 4).ok());
  EXPECT_TRUE(sum.AddBytes("", 0).ok());
}

TEST(ModularSumTest, DoublesWhenAddedToItself) {
  ModularSum sum(3);
  ASSERT_TRUE(sum.Add(std::vector<uint32_t>{1, 2, 0x80000001}).ok());
  ASSERT_TRUE(sum.Add(sum).ok());
  EXPECT_THAT(sum.values(), ElementsAre(2, 4, 2));
  sum.Clear();
  EXPECT_EQ(sum, ModularSum(3));
}

}  // namespace
}  // namespace aisle
