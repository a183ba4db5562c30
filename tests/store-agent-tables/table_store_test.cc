#include "store-agent/tables/table_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include "base/storage/files.h"
#include "store-agent/tables/store_key.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kTables = R"(
[sales]
time = "week"
customer = "who"
[sales.columns]
week  = {type = "int64"}
who   = {type = "int64", nullable = true}
price = {type = "double", nullable = true}
name  = {type = "string"}

[visits]
time = "at"
customer = "who"
sequence = "id"
retention = "10d"
[visits.columns]
id  = {type = "int64"}
at  = {type = "timestamp"}
who = {type = "string"}
)";

const TableName kSales = *TableName::Parse("sales");
const TableName kVisits = *TableName::Parse("visits");

struct Sale {
  int64_t week = 0;
  std::optional<int64_t> who = {};
  double price = 0;
  std::string name = {};
};

// A store in a folder of its own, opened as often as wanted.
class TableStoreTest : public ::testing::Test {
 protected:
  TableStoreTest() { Open(); }

  void Open(std::string_view tables = kTables) {
    store_.reset();
    StatusOr<Schema> schema = Schema::Parse(tables);
    ASSERT_TRUE(schema.ok()) << schema.status();
    StatusOr<std::unique_ptr<TableStore>> store = TableStore::Open(folder_.path(), *schema, random_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  Status OpeningFails(std::string_view tables = kTables) {
    store_.reset();
    return TableStore::Open(folder_.path(), *Schema::Parse(tables), random_).status();
  }

  std::vector<RowOutcome> Write(const std::vector<Sale>& sales) {
    const auto writer = *store_->WriterOf(kSales);
    for (const Sale& sale : sales) {
      Row row(store_->SchemaOf(kSales).value()->columns.size());
      row.Set(0, sale.week);
      if (sale.who) row.Set(1, *sale.who);
      row.Set(2, sale.price);
      row.Set(3, std::string_view(sale.name));
      EXPECT_TRUE(writer->Add(row).ok());
    }
    StatusOr<std::vector<RowOutcome>> outcomes = writer->Commit();
    EXPECT_TRUE(outcomes.ok()) << outcomes.status();
    return *outcomes;
  }

  std::vector<RowOutcome> WriteVisit(int64_t id, int64_t at, std::string_view who) {
    const auto writer = *store_->WriterOf(kVisits);
    Row row(3);
    row.Set(0, id);
    row.Set(1, at);
    row.Set(2, who);
    EXPECT_TRUE(writer->Add(row).ok());
    return *writer->Commit();
  }

  std::vector<int64_t> Weeks(int64_t first = std::numeric_limits<int64_t>::min(),
                             int64_t last = std::numeric_limits<int64_t>::max()) {
    StatusOr<ColumnTable> table =
        store_->Scan({.table = kSales, .columns = {"week"}, .time_first = first, .time_last = last});
    EXPECT_TRUE(table.ok()) << table.status();
    const auto weeks = table->columns[0].int64s();
    EXPECT_EQ(table->rows, weeks.size());
    return {weeks.begin(), weeks.end()};
  }

  std::string AllBytes() const {
    std::string bytes;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (file.is_regular_file()) bytes += folder_.Read(file.path().lexically_relative(folder_.path()).string());
    }
    return bytes;
  }

  TemporaryFolder folder_;
  SecureRandom random_;
  std::unique_ptr<TableStore> store_;
};

TEST_F(TableStoreTest, GivesColumnsInOrderOfTime) {
  Write({{.week = 3, .who = 7, .price = 0.5, .name = "a"}, {.week = -1, .price = 1.5, .name = "b"}});
  Write({{.week = 2, .who = 7, .price = 2.5, .name = "a"}});
  const StatusOr<ColumnTable> table = store_->Scan({.table = kSales, .columns = {"price", "week", "who", "name"}});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->rows, 3u);
  EXPECT_THAT(table->Find("week")->int64s(), ElementsAre(-1, 2, 3));
  EXPECT_THAT(table->Find("price")->doubles(), ElementsAre(1.5, 2.5, 0.5));
  EXPECT_THAT(table->Find("name")->int64s(), ElementsAre(FingerprintOf("b"), FingerprintOf("a"), FingerprintOf("a")));
  const auto who = table->Find("who")->int64s();
  EXPECT_EQ(who[0], -1);
  EXPECT_EQ(who[1], who[2]);
  EXPECT_GE(who[1], 0);
  EXPECT_NE(who[1], 7);
}

TEST_F(TableStoreTest, GivesTheRowsOfATimeWindow) {
  for (int64_t week = 0; week < 10; ++week) Write({{.week = week, .name = "x"}});
  EXPECT_THAT(Weeks(3, 5), ElementsAre(3, 4, 5));
  EXPECT_THAT(Weeks(8), ElementsAre(8, 9));
  EXPECT_THAT(Weeks(std::numeric_limits<int64_t>::min(), 0), ElementsAre(0));
  EXPECT_THAT(Weeks(5, 3), ElementsAre());
}

TEST_F(TableStoreTest, KeepsRowsOverReopening) {
  Write({{.week = 1, .name = "a"}});
  Open();
  EXPECT_THAT(Weeks(), ElementsAre(1));
  EXPECT_EQ(*store_->RowCount(kSales), 1u);
  EXPECT_THAT(Write({{.week = 1, .name = "a"}}), ElementsAre(RowOutcome::kKnown));
}

TEST_F(TableStoreTest, EqualRowsOfOneFileAllCountAndAFileReadTwiceChangesNothing) {
  const std::vector<Sale> file = {{.week = 1, .name = "a"}, {.week = 1, .name = "a"}, {.week = 1, .name = "b"}};
  EXPECT_THAT(Write(file), ElementsAre(RowOutcome::kAdded, RowOutcome::kAdded, RowOutcome::kAdded));
  EXPECT_THAT(Write(file), ElementsAre(RowOutcome::kKnown, RowOutcome::kKnown, RowOutcome::kKnown));
  EXPECT_THAT(Write({file[0], file[0], file[0]}),
              ElementsAre(RowOutcome::kKnown, RowOutcome::kKnown, RowOutcome::kAdded));
  EXPECT_EQ(*store_->RowCount(kSales), 4u);
}

TEST_F(TableStoreTest, ASequenceNumberNamesItsRow) {
  EXPECT_THAT(WriteVisit(1, 1000, "ann"), ElementsAre(RowOutcome::kAdded));
  EXPECT_THAT(WriteVisit(2, 1000, "ann"), ElementsAre(RowOutcome::kAdded));
  EXPECT_THAT(WriteVisit(1, 1000, "ann"), ElementsAre(RowOutcome::kKnown));
  EXPECT_THAT(WriteVisit(1, 1000, "bob"), ElementsAre(RowOutcome::kConflict));
  EXPECT_THAT(WriteVisit(1, 2000, "ann"), ElementsAre(RowOutcome::kConflict));
  EXPECT_EQ(*store_->RowCount(kVisits), 2u);
}

TEST_F(TableStoreTest, ASequenceNumberNamesItsRowWithinABatchToo) {
  const auto writer = *store_->WriterOf(kVisits);
  for (const char* who : {"ann", "ann", "bob"}) {
    Row row(3);
    row.Set(0, int64_t{1});
    row.Set(1, int64_t{1000});
    row.Set(2, std::string_view(who));
    ASSERT_TRUE(writer->Add(row).ok());
  }
  EXPECT_THAT(*writer->Commit(), ElementsAre(RowOutcome::kAdded, RowOutcome::kKnown, RowOutcome::kConflict));
}

TEST_F(TableStoreTest, TheDiskHoldsNeitherTextsNorCustomers) {
  Write({{.week = 1, .who = 1234567890123, .name = "a remarkable product name"}});
  WriteVisit(1, 1000, "ann.customer@example.org");
  store_.reset();
  const std::string bytes = AllBytes();
  EXPECT_EQ(bytes.find("remarkable"), std::string::npos);
  EXPECT_EQ(bytes.find("ann.customer"), std::string::npos);
  EXPECT_EQ(bytes.find("1234567890123"), std::string::npos);
  const int64_t who = 1234567890123;
  EXPECT_EQ(bytes.find(std::string_view(reinterpret_cast<const char*>(&who), 8)), std::string::npos);
}

TEST_F(TableStoreTest, ACustomerIsTheSameInAllTablesOfAStoreAndAnotherElsewhere) {
  Write({{.week = 1, .who = 42, .name = "a"}});
  WriteVisit(1, 1000, "42");
  const int64_t in_sales = store_->Scan({.table = kSales, .columns = {"who"}})->columns[0].int64s()[0];
  const int64_t in_visits = store_->Scan({.table = kVisits, .columns = {"who"}})->columns[0].int64s()[0];
  EXPECT_EQ(in_sales, in_visits);
  const TemporaryFolder other_folder;
  const auto other = *TableStore::Open(other_folder.path(), *Schema::Parse(kTables), random_);
  const auto writer = *other->WriterOf(kVisits);
  Row row(3);
  row.Set(0, int64_t{1});
  row.Set(1, int64_t{1000});
  row.Set(2, std::string_view("42"));
  ASSERT_TRUE(writer->Add(row).ok());
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_NE(other->Scan({.table = kVisits, .columns = {"who"}})->columns[0].int64s()[0], in_visits);
}

TEST_F(TableStoreTest, TheChainsKeyMakesACustomerTheSameInAllStores) {
  const std::string chain_key(kStoreKeySize, 'k');
  const auto pseudonym_in = [&](const TemporaryFolder& folder) {
    EXPECT_TRUE(WriteFileDurably(ChainCustomerKeyPath(folder.path()), chain_key, 0600).ok());
    const auto store = *TableStore::Open(folder.path(), *Schema::Parse(kTables), random_);
    const auto writer = *store->WriterOf(kVisits);
    Row row(3);
    row.Set(0, int64_t{1});
    row.Set(1, int64_t{1000});
    row.Set(2, std::string_view("42"));
    EXPECT_TRUE(writer->Add(row).ok());
    EXPECT_TRUE(writer->Commit().ok());
    return store->Scan({.table = kVisits, .columns = {"who"}})->columns[0].int64s()[0];
  };
  const TemporaryFolder one;
  const TemporaryFolder other;
  EXPECT_EQ(pseudonym_in(one), pseudonym_in(other));
}

TEST_F(TableStoreTest, TheKeyOfCustomersCannotChangeOverTheirRows) {
  const std::string path = ChainCustomerKeyPath(folder_.path());
  ASSERT_TRUE(WriteFileDurably(path, std::string(kStoreKeySize, 'k'), 0600).ok());
  Open();  // No row yet: it may come.
  Write({{.week = 1, .who = 42, .name = "a"}});
  ASSERT_TRUE(RemoveFile(path).ok());
  EXPECT_EQ(OpeningFails().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(WriteFileDurably(path, std::string(kStoreKeySize, 'x'), 0600).ok());
  EXPECT_EQ(OpeningFails().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(WriteFileDurably(path, std::string(kStoreKeySize, 'k'), 0600).ok());
  Open();
  EXPECT_EQ(*store_->RowCount(kSales), 1u);
}

TEST_F(TableStoreTest, TheChainsKeyComesTooLateOnceRowsAreThere) {
  Write({{.week = 1, .who = 42, .name = "a"}});
  ASSERT_TRUE(WriteFileDurably(ChainCustomerKeyPath(folder_.path()), std::string(kStoreKeySize, 'k'), 0600).ok());
  EXPECT_EQ(OpeningFails().code(), StatusCode::kFailedPrecondition);
}

TEST_F(TableStoreTest, AForgottenCustomerIsGoneEverywhereAndStaysOut) {
  Write({{.week = 1, .who = 42, .name = "a"}, {.week = 2, .who = 43, .name = "b"}, {.week = 3, .name = "c"}});
  WriteVisit(1, 1000, "42");
  WriteVisit(2, 1000, "43");
  EXPECT_EQ(*store_->ForgetCustomer("42"), 2u);
  EXPECT_THAT(Weeks(), ElementsAre(2, 3));
  EXPECT_EQ(*store_->RowCount(kSales), 2u);
  EXPECT_EQ(*store_->RowCount(kVisits), 1u);
  Open();
  EXPECT_TRUE(*store_->IsForgotten("42"));
  EXPECT_FALSE(*store_->IsForgotten("43"));
  EXPECT_THAT(Write({{.week = 1, .who = 42, .name = "a"}}), ElementsAre(RowOutcome::kForgotten));
  EXPECT_EQ(*store_->ForgetCustomer("42"), 0u);
  EXPECT_TRUE(store_->Readmit("42").ok());
  EXPECT_EQ(store_->Readmit("42").code(), StatusCode::kNotFound);
  EXPECT_THAT(Write({{.week = 1, .who = 42, .name = "a"}}), ElementsAre(RowOutcome::kAdded));
  EXPECT_THAT(WriteVisit(1, 1000, "42"), ElementsAre(RowOutcome::kAdded));
}

TEST_F(TableStoreTest, AForgettingCutShortIsMadeGoodAtTheNextStart) {
  Write({{.week = 1, .who = 42, .name = "a"}});
  ASSERT_TRUE(store_->ForgetCustomer("42").ok());
  ASSERT_TRUE(store_->Readmit("42").ok());
  Write({{.week = 1, .who = 42, .name = "a"}});
  store_.reset();
  {
    // The state after a crash between the first write of ForgetCustomer and the next: the index tells the pseudonym.
    const auto database = *KeyValueStore::Open(folder_.File("rows"), {});
    Cursor entry = database->Prefix(database->FamilyNamed("table/sales"), "c");
    ASSERT_TRUE(entry.Valid());
    const std::string pseudonym(entry.key().substr(1, 16));
    ASSERT_TRUE(
        database->Put(database->FamilyNamed("meta"), "forgotten/" + pseudonym, "pending", Durability::kSynced).ok());
  }
  Open();
  EXPECT_EQ(*store_->RowCount(kSales), 0u);
  EXPECT_THAT(Weeks(), ElementsAre());
}

TEST_F(TableStoreTest, DropsWhatIsOlderThanItsRetention) {
  const absl::Time now = absl::FromUnixSeconds(100 * 86400);
  WriteVisit(1, 89 * 86400, "ann");
  WriteVisit(2, 90 * 86400, "ann");
  WriteVisit(3, 95 * 86400, "bob");
  Write({{.week = 1, .name = "kept: its table has no retention"}});
  EXPECT_EQ(*store_->DropExpired(now), 1u);
  EXPECT_EQ(*store_->RowCount(kVisits), 2u);
  EXPECT_EQ(*store_->DropExpired(now), 0u);
  EXPECT_EQ(*store_->ForgetCustomer("ann"), 1u);
  EXPECT_EQ(*store_->RowCount(kSales), 1u);
}

TEST_F(TableStoreTest, SaysWhatItDoesNotHave) {
  EXPECT_EQ(store_->RowCount(*TableName::Parse("nothing")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store_->Scan({.table = kSales, .columns = {"nothing"}}).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(store_->tables(), UnorderedElementsAre(kSales, kVisits));
}

TEST_F(TableStoreTest, RefusesColumnsThatDoNotFitInMemory) {
  Write({{.week = 1, .name = "a"}, {.week = 2, .name = "b"}});
  const Status refused = store_->Scan({.table = kSales, .columns = {"week"}, .bytes_max = 15}).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(store_->Scan({.table = kSales, .columns = {"week"}, .bytes_max = 16}).ok());
}

TEST_F(TableStoreTest, AnotherKeyDoesNotOpenTheRows) {
  Write({{.week = 1, .name = "a"}});
  store_.reset();
  const std::string path = folder_.Write("store.key", std::string(32, 'k'));
  ::chmod(path.c_str(), 0600);
  const Status refused = OpeningFails();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("isn't the one"));
  std::filesystem::remove(path);
  EXPECT_EQ(OpeningFails().code(), StatusCode::kFailedPrecondition);
}

TEST_F(TableStoreTest, ARowThatWasTamperedWithOrMovedIsNoticed) {
  Write({{.week = 1, .name = "a"}, {.week = 2, .name = "b"}});
  store_.reset();
  {
    const auto database = *KeyValueStore::Open(folder_.File("rows"), {});
    const Family rows = database->FamilyNamed("table/sales");
    Cursor row = database->Prefix(rows, "r");
    const std::string first_key(row.key());
    row.Next();
    const std::string second_value(row.value());
    ASSERT_TRUE(database->Put(rows, first_key, second_value, Durability::kSynced).ok());
  }
  Open();
  const Status status = store_->Scan({.table = kSales, .columns = {"week"}}).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("table sales"));
}

constexpr std::string_view kSalesWithBrand = R"(
[sales]
time = "week"
customer = "who"
[sales.columns]
brand = {type = "string", nullable = true}
week  = {type = "int64"}
who   = {type = "int64", nullable = true}
price = {type = "double", nullable = true}
name  = {type = "string"}
)";

TEST_F(TableStoreTest, ANewNullableColumnIsNullInOldRowsWhichKeepTheirIdentity) {
  Write({{.week = 1, .name = "a"}});
  Open(kSalesWithBrand);
  EXPECT_THAT(store_->Scan({.table = kSales, .columns = {"brand"}})->columns[0].int64s(), ElementsAre(-1));
  EXPECT_THAT(Write({{.week = 1, .name = "a"}}), ElementsAre(RowOutcome::kKnown));
  Open(kSalesWithBrand);
}

TEST_F(TableStoreTest, AChangeThatRowsDoNotAllowIsRefusedUntilTheTableIsDropped) {
  constexpr std::string_view kOther = "[sales.columns]\nweek = {type = \"string\"}\n";
  Write({{.week = 1, .name = "a"}});
  EXPECT_EQ(OpeningFails(kOther).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(TableStore::DropTable(folder_.path(), kSales).ok());
  EXPECT_EQ(TableStore::DropTable(folder_.path(), kSales).code(), StatusCode::kNotFound);
  Open(kOther);
  EXPECT_EQ(*store_->RowCount(kSales), 0u);
}

TEST_F(TableStoreTest, ATableThatIsNoLongerDeclaredStillForgets) {
  Write({{.week = 1, .who = 42, .name = "a"}, {.week = 2, .who = 43, .name = "a"}});
  constexpr std::string_view kOther = "[other.columns]\nx = {type = \"int64\"}\n";
  Open(kOther);
  EXPECT_EQ(store_->RowCount(kSales).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(*store_->ForgetCustomer("42"), 1u);
  Open();
  EXPECT_THAT(Weeks(), ElementsAre(2));
}

TEST_F(TableStoreTest, AFullDiskCostsTheBatchAndNothingElse) {
  const SmallDisk disk("14m");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small disk here";
  const auto store = *TableStore::Open(disk.folder().path(), *Schema::Parse(kTables), random_);
  const auto write = [&](int64_t week) {
    const auto writer = *store->WriterOf(kSales);
    for (int i = 0; i < 1000; ++i) {
      Row row(4);
      row.Set(0, week);
      row.Set(3, std::string_view(std::to_string(i) + std::string(200, 'x')));
      EXPECT_TRUE(writer->Add(row).ok());
    }
    return writer->Commit().status();
  };
  Status written;
  int64_t batches = 0;
  while ((written = write(batches)).ok()) {
    if (++batches == 3) disk.Fill();
  }
  EXPECT_EQ(written.code(), StatusCode::kResourceExhausted) << written;
  EXPECT_EQ(*store->RowCount(kSales), static_cast<uint64_t>(1000 * batches));
  EXPECT_EQ(store->Scan({.table = kSales, .columns = {"week"}})->rows, static_cast<uint64_t>(1000 * batches));
  disk.Free();
  EXPECT_TRUE(write(batches).ok());
  EXPECT_EQ(*store->RowCount(kSales), static_cast<uint64_t>(1000 * (batches + 1)));
}

}  // namespace
}  // namespace aisle
