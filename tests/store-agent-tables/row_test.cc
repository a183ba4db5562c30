#include "store-agent/tables/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cstring>

#include "store-agent/tables/row_key.h"

namespace aisle {
namespace {

TableSchema SchemaOf(std::string_view toml) {
  StatusOr<Schema> schema = Schema::Parse(toml);
  EXPECT_TRUE(schema.ok()) << schema.status();
  return schema->tables.at(0);
}

const TableSchema& Sample() {
  static const TableSchema schema = SchemaOf(R"(
[sales]
customer = "who"
[sales.columns]
week  = {type = "int64", nullable = true}
price = {type = "double", nullable = true}
name  = {type = "string", nullable = true}
who   = {type = "int64", nullable = true}
photo = {type = "bytes", size = 3, nullable = true}
when  = {type = "timestamp", nullable = true}
)");
  return schema;
}

constexpr std::string_view kPseudonym = "0123456789abcdef";

int64_t Int64Of(std::string_view bytes) {
  int64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// Bit i of `present` says whether column i is there.
RC_GTEST_PROP(RowLaw, WhatIsEncodedIsReadBack,
              (uint8_t present, int64_t week, double price, const std::string& name, int64_t when)) {
  const auto has = [&](size_t column) { return (present >> column & 1) != 0; };
  Row row(6);
  if (has(0)) row.Set(0, week);
  if (has(1)) row.Set(1, price);
  if (has(2)) row.Set(2, std::string_view(name));
  if (has(3)) row.Set(3, int64_t{17850});
  if (has(4)) row.Set(4, std::string_view("abc"));
  if (has(5)) row.Set(5, when);
  std::string encoded;
  EncodeRow(Sample(), row, kPseudonym, encoded);
  EncodedRow fields;
  RC_ASSERT(fields.Parse(Sample(), encoded).ok());
  for (size_t i = 0; i < 6; ++i) RC_ASSERT(fields.Field(i).has_value() == has(i));
  if (has(0)) RC_ASSERT(Int64Of(*fields.Field(0)) == week);
  if (has(1)) RC_ASSERT(Int64Of(*fields.Field(1)) == std::bit_cast<int64_t>(price));
  if (has(2)) RC_ASSERT(*fields.Field(2) == name);
  if (has(3)) RC_ASSERT(*fields.Field(3) == kPseudonym);
  if (has(4)) RC_ASSERT(*fields.Field(4) == "abc");
  if (has(5)) RC_ASSERT(Int64Of(*fields.Field(5)) == when);
}

RC_GTEST_PROP(RowLaw, AnyBytesAreReadOrRefused, (const std::string& bytes)) {
  EncodedRow fields;
  (void)fields.Parse(Sample(), bytes).ok();
}

TEST(RowTest, EveryCutOfAnEncodedRowIsNoticed) {
  Row row(6);
  row.Set(0, int64_t{1});
  row.Set(2, std::string_view("name"));
  row.Set(5, int64_t{2});
  std::string encoded;
  EncodeRow(Sample(), row, "", encoded);
  EncodedRow fields;
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(fields.Parse(Sample(), encoded.substr(0, size)).code(), StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(fields.Parse(Sample(), encoded + "x").code(), StatusCode::kDataLoss);
}

TEST(RowTest, AColumnAddedLaterLeavesTheFormOfOldRowsAsItWas) {
  TableSchema later = Sample();
  for (int i = 0; i < 20; ++i) {
    ColumnSpec& column = later.columns.emplace_back();
    column.name = fmt::format("new{}", i);
    column.nullable = true;
  }
  Row old_row(6);
  Row new_row(26);
  for (Row* row : {&old_row, &new_row}) row->Set(0, int64_t{40});
  std::string before;
  std::string after;
  EncodeRow(Sample(), old_row, "", before);
  EncodeRow(later, new_row, "", after);
  EXPECT_EQ(before, after);
  EncodedRow fields;
  ASSERT_TRUE(fields.Parse(later, before).ok());
  EXPECT_FALSE(fields.Field(25).has_value());
}

TEST(RowTest, FieldsBecomeWhatPlansSee) {
  Row row(6);
  row.Set(0, int64_t{40});
  row.Set(1, 0.25);
  row.Set(2, std::string_view("abc"));
  row.Set(3, int64_t{17850});
  std::string encoded;
  EncodeRow(Sample(), row, std::string(16, '\xff'), encoded);
  EncodedRow fields;
  ASSERT_TRUE(fields.Parse(Sample(), encoded).ok());
  std::vector<Column> columns;
  for (size_t i = 0; i < 6; ++i) {
    columns.emplace_back(Sample().columns[i].name, Sample().TypeInPlans(i), Sample().columns[i].width);
    fields.AppendTo(i, columns[i]);
  }
  EXPECT_EQ(columns[0].int64s()[0], 40);
  EXPECT_EQ(columns[1].doubles()[0], 0.25);
  EXPECT_EQ(columns[2].int64s()[0], FingerprintOf("abc"));
  EXPECT_EQ(columns[3].int64s()[0], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(columns[4].bytes(), std::string_view("\0\0\0", 3));
  EXPECT_EQ(columns[5].int64s()[0], kNullInt64);
}

RC_GTEST_PROP(RowKeyLaw, ByteOrderIsTimeOrder, (int64_t a, int64_t b)) {
  RC_ASSERT((EncodeTime(a) < EncodeTime(b)) == (a < b));
  RC_ASSERT(DecodeTime(EncodeTime(a)) == a);
}

TEST(RowKeyTest, ACustomerKeyLeadsToItsRow) {
  const std::string row = RowKey(-7, "fedcba9876543210");
  const std::string customer = CustomerKey(kPseudonym, row);
  EXPECT_TRUE(customer.starts_with(CustomerPrefix(kPseudonym)));
  EXPECT_EQ(*RowKeyOfCustomerKey(customer), row);
  EXPECT_EQ(ParseRowKey(row)->time, -7);
  EXPECT_EQ(ParseRowKey(row)->identity, "fedcba9876543210");
  EXPECT_EQ(ParseRowKey(customer).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(RowKeyOfCustomerKey(row).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aisle
