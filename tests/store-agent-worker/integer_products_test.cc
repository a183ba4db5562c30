// Sums of products of 16-bit integers: the same as written out, for all shapes and at the ends of the range.
#include "store-agent/worker/customers/integer_products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace aisle {
namespace {

AesCtrStream DrawsOf(uint8_t seed) { return {SecretBytes::CopyOf(std::string(32, static_cast<char>(seed))), "test"}; }

std::vector<int16_t> Draw(size_t count, int32_t max, RandomSource& random) {
  std::vector<int16_t> values(count);
  for (int16_t& value : values) {
    value = static_cast<int16_t>(static_cast<int32_t>(random.Below(2 * static_cast<uint32_t>(max) + 1)) - max);
  }
  return values;
}

struct Shape {
  size_t as;
  size_t bs;
};
constexpr Shape kShapes[] = {{1, 1}, {1, 16}, {5, 63}, {6, 64}, {7, 65}, {13, 144}, {200, 17}, {0, 3}, {3, 0}};

uint32_t WrittenOut(const std::vector<int16_t>& a, const std::vector<int16_t>& b, const Shape& shape, size_t rows,
                    size_t i, size_t j) {
  uint32_t sum = 0;
  for (size_t r = 0; r < rows; ++r) sum += static_cast<uint32_t>(int32_t{a[r * shape.as + i]} * b[r * shape.bs + j]);
  return sum;
}

TEST(ProductSumsTest, AreTheProductsWrittenOut) {
  AesCtrStream random = DrawsOf(1);
  for (const Shape& shape : kShapes) {
    for (const size_t rows : {0U, 1U, 2U, 3U, 50U}) {
      for (const int32_t max : {3, kFineRowMax}) {  // The latter wraps: modulo 2^32 it is right all the same.
        const std::vector<int16_t> a = Draw(rows * shape.as, max, random);
        const std::vector<int16_t> b = Draw(rows * shape.bs, max, random);
        ProductSums sums(shape.as, shape.bs);
        sums.Add(a.data(), b.data(), rows);
        sums.Add(a.data(), b.data(), rows);
        for (size_t i = 0; i < shape.as; ++i) {
          for (size_t j = 0; j < shape.bs; ++j) {
            ASSERT_EQ(static_cast<uint32_t>(sums.row(i)[j]), 2 * WrittenOut(a, b, shape, rows, i, j))
                << shape.as << " x " << shape.bs << ", " << rows << " rows, at " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST(DotProductsTest, AreTheProductsWrittenOut) {
  AesCtrStream random = DrawsOf(2);
  for (const size_t count : {0U, 1U, 31U, 32U, 33U, 64U, 100U, 784U}) {
    for (const size_t rows : {0U, 1U, 3U, 4U, 9U}) {
      const std::vector<int16_t> a = Draw(count, kFineRowMax, random);
      const std::vector<int16_t> others = Draw(rows * count, kFineRowMax, random);
      std::vector<int32_t> dots(rows);
      DotProducts(a.data(), others.data(), rows, count, dots.data());
      for (size_t r = 0; r < rows; ++r) {
        uint32_t expected = 0;
        for (size_t i = 0; i < count; ++i) expected += static_cast<uint32_t>(int32_t{a[i]} * others[r * count + i]);
        ASSERT_EQ(static_cast<uint32_t>(dots[r]), expected) << count << ", row " << r;
      }
    }
  }
}

TEST(RoundRowTest, RoundsToTheNearestAndSaysHowLargeItIs) {
  AesCtrStream random = DrawsOf(3);
  for (const size_t count : {1U, 15U, 16U, 17U, 200U}) {
    for (const double scale : {1e-30, -3.0, 1e38, 1e42}) {  // The last one is over what a float holds.
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>((random.Fraction() - 0.5) * 2000 / scale);
      std::vector<int16_t> fine(count + 1, 77);
      const RoundedRow row = RoundRow(values.data(), count, scale, fine.data());
      double squares = 0;
      int32_t largest = 0;
      for (size_t i = 0; i < count; ++i) {
        ASSERT_NEAR(fine[i], static_cast<double>(values[i]) * scale, 0.501) << i;
        squares += static_cast<double>(fine[i]) * fine[i];
        largest = std::max(largest, std::abs(int32_t{fine[i]}));
      }
      EXPECT_NEAR(row.squares, squares, 0.01 * squares);
      EXPECT_EQ(row.largest, largest);
      EXPECT_EQ(fine[count], 77);  // Nothing behind them is written.
    }
  }
}

TEST(RoundRowTest, ClampsWhatIsTooLargeOrNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {1e30F, -1e30F, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
  for (size_t copies : {1U, 4U}) {
    std::vector<float> row;
    for (size_t k = 0; k < copies; ++k) row.insert(row.end(), values.begin(), values.end());
    std::vector<int16_t> fine(row.size());
    RoundRow(row.data(), row.size(), 1, fine.data());
    for (size_t i = 0; i < row.size(); ++i) EXPECT_EQ(std::abs(int32_t{fine[i]}), kFineRowMax) << i;
  }
}

}  // namespace
}  // namespace aisle
