// Real retail files, where they are at hand: AISLE_TEST_DATA or ../shared/data beside the project. Skips without them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/store-agent-ingest/sources.h"

namespace aisle {
namespace {

std::string DataFolder() {
  if (const char* folder = std::getenv("AISLE_TEST_DATA"); folder != nullptr) return folder;
  const std::filesystem::path here(__FILE__);
  return (here.parent_path().parent_path().parent_path() / "../shared/data").lexically_normal().string();
}

struct RealFile {
  std::string name;
  std::string path;
  std::string table;
  uint64_t rows;
  uint64_t quarantined;
};

class RealDataTest : public ::testing::TestWithParam<RealFile> {};

TEST_P(RealDataTest, GoesInWholeAndOnlyOnce) {
  const std::string path = DataFolder() + "/" + GetParam().path;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real data at " << path;
  StoreFixture store(GetParam().table);
  const TableName table = store->tables().at(0);
  const StatusOr<IngestReport> report = IngestFile(*store, table, path);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->refused()) << report->refusal;
  EXPECT_EQ(report->rows_read, GetParam().rows) << Summary(*report);
  EXPECT_EQ(report->rows_quarantined, GetParam().quarantined) << Summary(*report);
  EXPECT_EQ(report->rows_added + report->rows_quarantined, report->rows_read);
  RecordProperty("rows_per_second", static_cast<int>(static_cast<double>(report->rows_read) / report->seconds));
  const StatusOr<IngestReport> again = IngestFile(*store, table, path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->rows_added, 0u);
  std::vector<std::string> columns;
  for (const ColumnSpec& column : (*store->SchemaOf(table))->columns) columns.push_back(column.name);
  const StatusOr<ColumnTable> all = store->Scan({.table = table, .columns = columns});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->rows, report->rows_added);
}

INSTANTIATE_TEST_SUITE_P(, RealDataTest,
                         ::testing::Values(RealFile{"OrangeJuice", "oj/oj_sales.csv.gz", R"(
[sales]
time = "week"
[sales.columns]
store   = {type = "int64"}
brand   = {type = "int64", range = [1, 11]}
week    = {type = "int64", unit = "week", range = [40, 140]}
logmove = {type = "double"}
price   = {type = "double", unit = "USD/oz", range = [0, 1]}
deal    = {type = "int64", range = [0, 1]}
feat    = {type = "double", range = [0, 1]}
profit  = {type = "double"}
)",
                                                    75'801, 0},
                                           RealFile{"OnlineRetail", "online_retail/transactions.csv.gz", R"(
[lines]
time = "InvoiceDate"
customer = "CustomerID"
[lines.columns]
InvoiceNo   = {type = "string"}
StockCode   = {type = "string"}
Quantity    = {type = "int64"}
InvoiceDate = {type = "timestamp"}
UnitPrice   = {type = "double", unit = "GBP"}
CustomerID  = {type = "int64", nullable = true}
Country     = {type = "string"}
)",
                                                    456'192, 0},
                                           RealFile{"CompleteJourney", "completejourney/transactions.csv.gz", R"(
[lines]
time = "transaction_timestamp"
customer = "household_id"
[lines.columns]
household_id = {type = "int64"}
store_id     = {type = "int64"}
basket_id    = {type = "int64"}
product_id   = {type = "int64"}
quantity     = {type = "int64"}
sales_value  = {type = "double"}
transaction_timestamp = {type = "timestamp"}
)",
                                                    70'924, 1}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle
