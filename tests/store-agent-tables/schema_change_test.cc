#include "store-agent/tables/schema_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TableSchema Declare(std::string_view columns, std::string_view head = "") {
  StatusOr<Schema> schema = Schema::Parse(fmt::format("[sales]\n{}\n[sales.columns]\n{}", head, columns));
  EXPECT_TRUE(schema.ok()) << schema.status();
  return schema->tables.at(0);
}

constexpr std::string_view kBefore = R"(
week  = {type = "int64", unit = "week", range = [0, 100]}
price = {type = "double", nullable = true}
name  = {type = "string"}
)";

std::string OffencesOf(std::string_view columns, std::string_view head = "time = \"week\"") {
  const Status status = Reconcile(Declare(kBefore, "time = \"week\""), Declare(columns, head), 7).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << columns;
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("table sales holds 7 rows"));
  return std::string(MessageOf(status));
}

TEST(SchemaChangeTest, NewNullableColumnsComeAfterTheStoredOnes) {
  const TableSchema now = Declare(R"(
brand = {type = "string", nullable = true}
name  = {type = "string", nullable = true, header = "Name"}
price = {type = "double", nullable = true, range = [0, 5]}
week  = {type = "int64", unit = "week", range = [0, 5000]}
)",
                                  "time = \"week\"");
  const StatusOr<TableSchema> merged = Reconcile(Declare(kBefore, "time = \"week\""), now, 7);
  ASSERT_TRUE(merged.ok()) << merged.status();
  std::vector<std::string> names;
  for (const ColumnSpec& column : merged->columns) names.push_back(column.name);
  EXPECT_THAT(names, ::testing::ElementsAre("week", "price", "name", "brand"));
  EXPECT_EQ(merged->time, 0u);
  EXPECT_EQ(merged->columns[0].int_max, 5000);
  EXPECT_EQ(merged->columns[2].header, "Name");
}

TEST(SchemaChangeTest, NamesEveryChangeThatRowsDoNotAllow) {
  EXPECT_THAT(OffencesOf(R"(
week  = {type = "int64", unit = "day"}
price = {type = "int64"}
brand = {type = "string"}
)",
                         ""),
              AllOf(HasSubstr("its time was \"week\" and is now \"\""), HasSubstr("column \"name\" is gone"),
                    HasSubstr("the unit of column \"week\" was \"week\" and is now \"day\""),
                    HasSubstr("the type of column \"price\" was \"double\" and is now \"int64\""),
                    HasSubstr("column \"price\" isn't nullable any more"),
                    HasSubstr("column \"brand\" is new and not nullable")));
}

TEST(SchemaChangeTest, AnEmptyTableMayChangeInAnyWay) {
  const TableSchema now = Declare("photo = {type = \"bytes\", size = 3}");
  const StatusOr<TableSchema> merged = Reconcile(Declare(kBefore), now, 0);
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(*merged, now);
}

TEST(SchemaChangeTest, TheRecordOfASchemaIsReadBackAsItWas) {
  const TableSchema schema = Declare(R"(
when  = {type = "timestamp", range = ["2020-01-01", "2030-01-01"]}
who   = {type = "string", header = "Customer ID"}
photo = {type = "bytes", size = 3}
price = {type = "double", range = [0, 10], nullable = true}
)",
                                     "time = \"when\"\ncustomer = \"who\"\nretention = \"90d\"");
  const std::string record = EncodeSchema(schema);
  const StatusOr<TableSchema> decoded = DecodeSchema(record);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, schema);
  for (size_t size = 0; size < record.size(); ++size) EXPECT_FALSE(DecodeSchema(record.substr(0, size)).ok()) << size;
}

RC_GTEST_PROP(SchemaRecordLaw, AnyBytesAreReadOrRefused, (const std::string& bytes)) {
  (void)DecodeSchema(bytes).ok();
  (void)DecodeSchema("\x01" + bytes).ok();
}

}  // namespace
}  // namespace aisle
