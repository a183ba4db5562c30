#include "store-agent/task/plan_rows.h"

#include <gtest/gtest.h>

#include <set>

#include "base/storage/files.h"
#include "store-agent/tables/store_key.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

constexpr std::string_view kTables = R"(
[sales]
customer = "who"
[sales.columns]
who = {type = "int64"}
price = {type = "double"}
[weather]
[weather.columns]
rain = {type = "double"}
)";

StoreId Store(std::string_view name) { return StoreId::Parse(name).value(); }

// One store of a chain of two that share customers 0 to 99; every row of a customer is in both.
class SharedStore {
 public:
  explicit SharedStore(std::string_view self) : self_(Store(self)) {
    const SecretBytes key = [] {
      SecretBytes bytes(kStoreKeySize);
      bytes.Mutable()[0] = 1;
      return bytes;
    }();
    EXPECT_TRUE(WriteFileDurably(ChainCustomerKeyPath(folder_.path()), key.Reveal(), 0600).ok());
    tables_ = TableStore::Open(folder_.path(), Schema::Parse(kTables).value(), random_).value();
    home_ = HomeStore::Make(self_, {Store("s1"), Store("s2")}, key).value();
    const auto writer = tables_->WriterOf(TableName::Parse("sales").value()).value();
    for (int64_t who = 0; who < 100; ++who) {
      Row row(2);
      row.Set(0, who);
      row.Set(1, static_cast<double>(who));
      EXPECT_TRUE(writer->Add(row).ok());
    }
    EXPECT_TRUE(writer->Commit().ok());
  }

  StatusOr<ColumnTable> Rows(const std::string& table, const std::vector<std::string>& columns,
                             bool rule = true) const {
    TableNeed need{.name = table, .columns = {}};
    for (const std::string& column : columns) need.columns.push_back({.name = column, .range = {}});
    return RowsFor(need, 1 << 20, *tables_, rule ? &*home_ : nullptr);
  }
  ColumnTable NoRows() const {
    return NoRowsFor({.name = "sales", .columns = {{.name = "price", .range = {}}, {.name = "who", .range = {}}}},
                     *tables_)
        .value();
  }
  std::set<double> Prices(const std::vector<std::string>& columns) const {
    const ColumnTable table = Rows("sales", columns).value();
    EXPECT_EQ(table.columns.size(), columns.size());
    const auto prices = table.Find("price")->doubles();
    return {prices.begin(), prices.end()};
  }

 private:
  TemporaryFolder folder_;
  SecureRandom random_;
  StoreId self_;
  std::unique_ptr<TableStore> tables_;
  std::optional<HomeStore> home_;
};

TEST(PlanRowsTest, EachSharedCustomerIsUsedByOneStore) {
  const std::set<double> one = SharedStore("s1").Prices({"who", "price"});
  const std::set<double> other = SharedStore("s2").Prices({"price", "who"});
  EXPECT_EQ(one.size() + other.size(), 100u);
  EXPECT_FALSE(one.empty());
  EXPECT_FALSE(other.empty());
  for (const double price : one) EXPECT_FALSE(other.contains(price));
}

TEST(PlanRowsTest, TheRuleHoldsForPlansThatDontAskWhoItIs) {
  const SharedStore store("s1");
  EXPECT_EQ(store.Prices({"price"}), store.Prices({"who", "price"}));
}

TEST(PlanRowsTest, WithoutTheRuleAllRowsAreUsed) {
  EXPECT_EQ(SharedStore("s1").Rows("sales", {"price"}, false)->rows, 100u);
}

TEST(PlanRowsTest, TablesWithoutCustomersAreAsTheyAre) {
  EXPECT_TRUE(SharedStore("s1").Rows("weather", {"rain"}).ok());
  EXPECT_EQ(SharedStore("s1").Rows("nothing", {"rain"}).status().code(), StatusCode::kNotFound);
}

// What a worker gets where the rows are more than the task may take: the same columns, with nothing in them.
TEST(PlanRowsTest, NoRowsHaveTheSameColumns) {
  const ColumnTable table = SharedStore("s1").NoRows();
  EXPECT_EQ(table.name, "sales");
  EXPECT_EQ(table.rows, 0U);
  ASSERT_EQ(table.columns.size(), 2U);
  EXPECT_EQ(table.columns[0].name(), "price");
  EXPECT_EQ(table.columns[0].type(), ColumnType::kDouble);
  EXPECT_EQ(table.columns[1].type(), ColumnType::kCustomer);
  EXPECT_EQ(table.columns[1].rows(), 0U);
}

}  // namespace
}  // namespace aisle
