#include "store-agent/tables/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kSample = R"(
[sales]
time = "sold_at"
customer = "household"
retention = "1095d"
sequence = "line"
[sales.columns]
sold_at   = {type = "timestamp", range = ["2015-01-01", "2050-01-01"]}
line      = {type = "string", header = "Line No"}
household = {type = "int64", nullable = true}
units     = {type = "int64", unit = "items", range = [0, 1000]}
price     = {type = "double", unit = "USD", range = [0, 10], nullable = true}
photo     = {type = "bytes", size = 3072, nullable = true}

[stores.columns]
name = {type = "string"}
)";

std::string MistakesOf(std::string_view toml) {
  const StatusOr<Schema> schema = Schema::Parse(toml);
  EXPECT_EQ(schema.status().code(), StatusCode::kInvalidArgument) << toml;
  return std::string(MessageOf(schema.status()));
}

TEST(SchemaTest, ReadsEveryKey) {
  const StatusOr<Schema> schema = Schema::Parse(kSample);
  ASSERT_TRUE(schema.ok()) << schema.status();
  ASSERT_EQ(schema->tables.size(), 2u);
  const TableSchema& sales = *schema->Find(*TableName::Parse("sales"));
  EXPECT_EQ(sales.columns.size(), 6u);
  EXPECT_EQ(sales.time, 0u);
  EXPECT_EQ(sales.sequence, 1u);
  EXPECT_EQ(sales.customer, 2u);
  EXPECT_EQ(sales.retention, absl::Hours(24 * 1095));
  EXPECT_EQ(sales.columns[0].int_min, 1420070400);
  EXPECT_EQ(sales.columns[1].header, "Line No");
  EXPECT_EQ(sales.columns[3].int_max, 1000);
  EXPECT_EQ(sales.columns[4].real_max, 10);
  EXPECT_TRUE(sales.columns[4].nullable);
  EXPECT_EQ(sales.columns[5].width, 3072u);
  EXPECT_EQ(sales.TypeInPlans(2), ColumnType::kCustomer);
  EXPECT_EQ(sales.TypeInPlans(3), ColumnType::kInt64);
  EXPECT_EQ(sales.IndexOf("price"), 4u);
  EXPECT_EQ(sales.IndexOf("cost"), std::nullopt);
  EXPECT_EQ(schema->Find(*TableName::Parse("visits")), nullptr);
}

TEST(SchemaTest, TellsAllMistakesAtOnce) {
  EXPECT_THAT(MistakesOf(R"(
[sales]
time = "price"
customer = "nobody"
retention = "3 weeks"
colour = "red"
[sales.columns]
price = {type = "double", range = [10, 0]}
what  = {type = "decimal"}
photo = {type = "bytes"}
name  = {type = "string", range = [1, 2], size = 7}
"a b" = {type = "int64"}
)"),
              AllOf(HasSubstr("time (line 3): column \"price\" is of type double"),
                    HasSubstr("customer (line 4): no column is called \"nobody\""), HasSubstr("retention (line 5)"),
                    HasSubstr("sales.colour (line 6): is not a known key"), HasSubstr("must be [least, most]"),
                    HasSubstr("\"decimal\" is none of int64"), HasSubstr("sales.columns.photo.size: is required"),
                    HasSubstr("sales.columns.name.range"), HasSubstr("sales.columns.name.size"),
                    HasSubstr("a column's name is 1 to 64 characters")));
}

struct BadSchema {
  std::string name;
  std::string toml;
  std::string mistake;
};

class BadSchemaTest : public ::testing::TestWithParam<BadSchema> {};

TEST_P(BadSchemaTest, IsRefusedWithItsReason) {
  EXPECT_THAT(MistakesOf(GetParam().toml), HasSubstr(GetParam().mistake));
}

INSTANTIATE_TEST_SUITE_P(
    , BadSchemaTest,
    ::testing::Values(
        BadSchema{"NoTable", "", "at least one table"}, BadSchema{"NoColumn", "[a]\n", "at least one column"},
        BadSchema{"BadName", "[\"A/b\".columns]\nx = {type = \"int64\"}", "table name"},
        BadSchema{"NotToml", "[a\n", "tables.toml:1"},
        BadSchema{"RetentionWithoutTime", "[a]\nretention = \"1d\"\n[a.columns]\nx = {type = \"int64\"}",
                  "needs a timestamp column"},
        BadSchema{"RetentionOfWeeks", "[a]\ntime = \"x\"\nretention = \"1d\"\n[a.columns]\nx = {type = \"int64\"}",
                  "needs a timestamp column"},
        BadSchema{"NullableTime", "[a]\ntime = \"x\"\n[a.columns]\nx = {type = \"int64\", nullable = true}",
                  "is nullable, so it can't be the time"},
        BadSchema{"CustomerIsTime", "[a]\ntime = \"x\"\ncustomer = \"x\"\n[a.columns]\nx = {type = \"int64\"}",
                  "only its pseudonym is kept"},
        BadSchema{"SharedHeader", "[a.columns]\nx = {type = \"int64\"}\ny = {type = \"int64\", header = \"x\"}",
                  "read by two columns"},
        BadSchema{"CustomerType", "[a.columns]\nx = {type = \"customer\"}", "is none of int64"},
        BadSchema{"BytesTooWide", "[a.columns]\nx = {type = \"bytes\", size = 300000}", "must be 1 to 262144 bytes"},
        BadSchema{"RangeOfOne", "[a.columns]\nx = {type = \"int64\", range = [1]}", "must be [least, most]"},
        BadSchema{"FractionalRange", "[a.columns]\nx = {type = \"int64\", range = [0, 1.5]}", "whole numbers"}),
    [](const auto& test) { return test.param.name; });

TEST(SchemaTest, RefusesTooManyColumns) {
  std::string toml = "[a.columns]\n";
  for (size_t i = 0; i <= kTableColumnsMax; ++i) toml += fmt::format("x{} = {{type = \"int64\"}}\n", i);
  EXPECT_THAT(MistakesOf(toml), HasSubstr("257 columns; the limit is 256"));
}

}  // namespace
}  // namespace aisle
