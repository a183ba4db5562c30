#include "store-agent/tables/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace aisle {
namespace {

using ::testing::ElementsAre;

TEST(ColumnTest, HoldsWholeNumbersAndTheirNulls) {
  Column column("week", ColumnType::kInt64);
  column.Append(int64_t{-5});
  column.AppendNull();
  EXPECT_THAT(column.int64s(), ElementsAre(-5, kNullInt64));
  EXPECT_EQ(column.bytes(), std::string_view("\xfb\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x80", 16));
}

TEST(ColumnTest, HoldsNumbersWithNaNForNull) {
  Column column("price", ColumnType::kDouble);
  column.Append(0.5);
  column.AppendNull();
  EXPECT_EQ(column.rows(), 2u);
  EXPECT_EQ(column.doubles()[0], 0.5);
  EXPECT_TRUE(std::isnan(column.doubles()[1]));
}

TEST(ColumnTest, HoldsBytesOfOneWidth) {
  Column column("photo", ColumnType::kBytes, 3);
  column.AppendBytes("abc");
  column.AppendNull();
  EXPECT_EQ(column.rows(), 2u);
  EXPECT_EQ(column.bytes(), std::string_view("abc\0\0\0", 6));
}

TEST(ColumnTest, NullTextsAndCustomersAreMinusOne) {
  for (const ColumnType type : {ColumnType::kString, ColumnType::kCustomer}) {
    Column column("who", type);
    column.AppendNull();
    EXPECT_THAT(column.int64s(), ElementsAre(-1));
  }
}

// The first 8 bytes of SHA-256("abc") (FIPS 180-2, B.1), little-endian, the sign bit cleared.
TEST(ColumnTest, TheFingerprintOfATextIsItsHashsHead) {
  EXPECT_EQ(FingerprintOf("abc"), 0xeacf018fbf1678ba & 0x7fffffffffffffff);
  EXPECT_EQ(FingerprintOf("TROPICANA 64OZ"), FingerprintOf(std::string("TROPICANA ") + "64OZ"));
}

TEST(ColumnTableTest, FindsColumnsAndCountsBytes) {
  ColumnTable table{.name = "sales", .rows = 1, .columns = {}};
  table.columns.emplace_back("week", ColumnType::kInt64);
  table.columns.emplace_back("photo", ColumnType::kBytes, 5);
  for (Column& column : table.columns) column.AppendNull();
  EXPECT_EQ(table.Find("photo")->width(), 5u);
  EXPECT_EQ(table.Find("price"), nullptr);
  EXPECT_EQ(table.bytes(), 13u);
}

}  // namespace
}  // namespace aisle
