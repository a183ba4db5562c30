#include "store-agent/ingest/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "tests/store-agent-ingest/sources.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view kTables = R"(
[sales]
time = "week"
customer = "who"
[sales.columns]
week  = {type = "int64", range = [0, 100]}
who   = {type = "string", nullable = true}
price = {type = "double", nullable = true}
name  = {type = "string"}

[lines]
sequence = "id"
[lines.columns]
id    = {type = "int64"}
units = {type = "int64"}
)";

const TableName kSales = *TableName::Parse("sales");

std::vector<double> PricesOf(const TableStore& store) {
  const StatusOr<ColumnTable> table = store.Scan({.table = kSales, .columns = {"price"}});
  EXPECT_TRUE(table.ok()) << table.status();
  const auto prices = table->columns[0].doubles();
  return {prices.begin(), prices.end()};
}

TEST(IngestTest, TakesGoodRowsAndQuarantinesBadOnesWithLineAndReason) {
  StoreFixture store(kTables);
  const IngestReport report = store.Read("sales",
                                         "\xef\xbb\xbfweek,name,price,who,colour\r\n"
                                         "1,apple,0.5,ann,red\r\n"
                                         "x,apple,0.5,ann,red\r\n"
                                         "101,apple,0.5,ann,red\r\n"
                                         ",apple,0.5,ann,red\r\n"
                                         "2,apple,0.5,ann\r\n"
                                         "3,\"ap\"ple,0.5,ann,red\r\n"
                                         "4,\xff,0.5,ann,red\r\n"
                                         "5,\"two\r\nlines\",,,red\r\n"
                                         "6,apple,cheap,ann,red\r\n");
  EXPECT_FALSE(report.refused()) << report.refusal;
  EXPECT_EQ(report.rows_read, 9u);
  EXPECT_EQ(report.rows_added, 2u);
  EXPECT_EQ(report.rows_quarantined, 7u);
  EXPECT_THAT(report.ignored_columns, ElementsAre("colour"));
  EXPECT_THAT(report.faults,
              ElementsAre(Pair(RowFault::kQuoting, 1u), Pair(RowFault::kFieldCount, 1u), Pair(RowFault::kType, 2u),
                          Pair(RowFault::kRange, 1u), Pair(RowFault::kNull, 1u), Pair(RowFault::kEncoding, 1u)));
  std::vector<std::string> told;
  for (const QuarantinedRow& row : report.quarantined) told.push_back(fmt::format("{} {}", row.line, row.reason));
  EXPECT_THAT(told, ElementsAre("3 week: not a whole number", "4 week: outside of [0, 100]",
                                "5 week: empty, but the column isn't nullable", "6 4 fields, but the header has 5",
                                "7 text after a closing quote", "8 name: not UTF-8", "11 price: not a number"));
  EXPECT_EQ(*store->RowCount(kSales), 2u);
}

struct RefusedCase {
  std::string name;
  std::string text;
  std::string reason;
};

class RefusedFileTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedFileTest, LeavesTheTableAsItWas) {
  StoreFixture store(kTables);
  const IngestReport report = store.Read("sales", GetParam().text);
  EXPECT_THAT(report.refusal, HasSubstr(GetParam().reason));
  EXPECT_EQ(report.rows_added, 0u);
  EXPECT_EQ(*store->RowCount(kSales), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedFileTest,
    ::testing::Values(
        RefusedCase{"Empty", "", "the file is empty"}, RefusedCase{"OnlyBlankLines", "\n\n", "the file is empty"},
        RefusedCase{"MissingColumns", "week,who\n1,ann\n", "misses: price, name"},
        RefusedCase{"Semicolons", "week;who;price;name\n1;ann;2;x\n", "parted by commas"},
        RefusedCase{"TwiceNamed", "week,who,price,name,week\n", "names twice: week"},
        RefusedCase{"Utf16", std::string("\xff\xfew\0e\0e\0k\0\n\0", 12), "is the file UTF-16?"},
        RefusedCase{"BrokenHeader", "week,\"who,price\n", "the header can't be read"},
        RefusedCase{"Cards",
                    "week,who,price,name\n1,4111111111111111,1,x\n2,4012888888881881,1,x\n3,5555555555554444,1,x\n"
                    "4,378282246310005,1,x\n",
                    "column \"who\" looks like payment card numbers"},
        RefusedCase{"CardsInAnIgnoredColumn",
                    "week,who,price,name,pan\n1,,1,x,4111111111111111\n2,,1,x,4012888888881881\n"
                    "3,,1,x,5555555555554444\n4,,1,x,378282246310005\n",
                    "column \"pan\" looks like payment card numbers"}),
    [](const auto& test) { return test.param.name; });

TEST(IngestTest, AHeaderAloneIsAFileWithoutRows) {
  StoreFixture store(kTables);
  const IngestReport report = store.Read("sales", "week,who,price,name\n");
  EXPECT_FALSE(report.refused());
  EXPECT_EQ(report.rows_read, 0u);
}

TEST(IngestTest, ASequenceNumberThatComesBackChangedIsQuarantined) {
  StoreFixture store(kTables);
  EXPECT_EQ(store.Read("lines", "id,units\n1,5\n2,6\n").rows_added, 2u);
  const IngestReport report = store.Read("lines", "id,units\n1,5\n2,7\n3,8\n");
  EXPECT_EQ(report.rows_known, 1u);
  EXPECT_EQ(report.rows_added, 1u);
  ASSERT_EQ(report.quarantined.size(), 1u);
  EXPECT_EQ(report.quarantined[0].line, 3u);
  EXPECT_EQ(report.quarantined[0].fault, RowFault::kConflict);
}

TEST(IngestTest, RowsOfForgottenCustomersAreCountedAndLeftOut) {
  StoreFixture store(kTables);
  ASSERT_TRUE(store->ForgetCustomer("ann").ok());
  const IngestReport report = store.Read("sales", "week,who,price,name\n1,ann,1,x\n1,bob,2,x\n");
  EXPECT_EQ(report.rows_forgotten, 1u);
  EXPECT_THAT(PricesOf(*store), ElementsAre(2));
}

TEST(IngestTest, StopsBetweenBatchesAndGoesOnWhereItWas) {
  StoreFixture store(kTables);
  std::string text = "week,who,price,name\n";
  const uint64_t rows = 3 * TableWriter::kBatchRows;
  for (uint64_t i = 0; i < rows; ++i) text += fmt::format("1,,{},x\n", i);
  TextSource source(text);
  const Status stopped = Ingest(*store, kSales, source, "a.csv", {.should_stop = [] { return true; }}).status();
  EXPECT_EQ(stopped.code(), StatusCode::kCancelled);
  EXPECT_EQ(*store->RowCount(kSales), TableWriter::kBatchRows);
  const IngestReport report = store.Read("sales", text);
  EXPECT_EQ(report.rows_known, TableWriter::kBatchRows);
  EXPECT_EQ(*store->RowCount(kSales), rows);
}

TEST(IngestTest, ListsOnlyTheFirstBadRowsButCountsAll) {
  StoreFixture store(kTables);
  RepeatingSource source("week,who,price,name\n", "x,,1,name\n", 5000);
  const IngestReport report = store.Read("sales", source);
  EXPECT_EQ(report.rows_quarantined, 5000u);
  EXPECT_EQ(report.quarantined.size(), IngestReport::kQuarantineListMax);
}

TEST(IngestTest, ALineOfAHundredMegabytesCostsThatLineAndNamesTheLimit) {
  StoreFixture store(kTables);
  RepeatingSource source("week,who,price,name\n1,,1,x\n", std::string(1 << 20, 'y'), 100, "\n2,,2,x\n");
  const IngestReport report = store.Read("sales", source);
  EXPECT_EQ(report.rows_added, 2u);
  ASSERT_EQ(report.quarantined.size(), 1u);
  EXPECT_EQ(report.quarantined[0].line, 3u);
  EXPECT_EQ(report.quarantined[0].fault, RowFault::kTooLong);
  EXPECT_THAT(report.quarantined[0].reason, HasSubstr("within 1.0 MiB"));
}

TEST(IngestTest, NulBytesCostTheirRowOnly) {
  StoreFixture store(kTables);
  const IngestReport report = store.Read("sales", std::string("week,who,price,name\n1,,1,x\0y\n2,,2,x\n", 36));
  EXPECT_EQ(report.rows_added, 1u);
  ASSERT_EQ(report.quarantined.size(), 1u);
  EXPECT_EQ(report.quarantined[0].line, 2u);
  EXPECT_EQ(report.quarantined[0].fault, RowFault::kNulByte);
}

TEST(IngestFileTest, ReadsPackedFilesAlsoOfSeveralMembers) {
  StoreFixture store(kTables);
  const std::string path =
      store.folder().Write("a.csv.gz", Gzip("week,who,price,name\n1,ann,") + Gzip("1.5,x\n2,ann,2.5,y\n"));
  const StatusOr<IngestReport> report = IngestFile(*store, kSales, path);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->file, "a.csv.gz");
  EXPECT_THAT(PricesOf(*store), ElementsAre(1.5, 2.5));
}

TEST(IngestFileTest, RefusesPackedFilesThatAreCutOrDamagedAtAnyByte) {
  StoreFixture store(kTables);
  const std::string packed = Gzip("week,who,price,name\n1,ann,1.5,x\n2,ann,2.5,y\n");
  for (size_t size = 1; size < packed.size(); ++size) {
    const std::string path = store.folder().Write("cut.csv.gz", packed.substr(0, size));
    const StatusOr<IngestReport> report = IngestFile(*store, kSales, path);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->refusal, HasSubstr("gzip data")) << size;
  }
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // Of the checksum.
  const StatusOr<IngestReport> report = IngestFile(*store, kSales, store.folder().Write("bad.csv.gz", damaged));
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->refusal, HasSubstr("damaged"));
}

TEST(IngestFileTest, SaysWhatItCannotOpen) {
  StoreFixture store(kTables);
  EXPECT_EQ(IngestFile(*store, kSales, store.folder().File("nothing.csv")).status().code(), StatusCode::kNotFound);
  std::filesystem::create_directory(store.folder().File("folder.csv"));
  EXPECT_EQ(IngestFile(*store, kSales, store.folder().File("folder.csv")).status().code(),
            StatusCode::kInvalidArgument);
  std::filesystem::create_symlink("/etc/passwd", store.folder().File("link.csv"));
  EXPECT_EQ(IngestFile(*store, kSales, store.folder().File("link.csv")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(IngestFile(*store, *TableName::Parse("none"), store.folder().Write("a.csv", "")).status().code(),
            StatusCode::kNotFound);
}

TEST(IngestTest, AFullDiskIsAnErrorAndTheFileIsReadAgainLater) {
  const SmallDisk disk("14m");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small disk here";
  StoreFixture store(kTables, disk.folder().File("store"));
  disk.Fill();
  const std::string text = "week,who,price,name\n1,ann,1.5,x\n";
  TextSource source(text);
  const Status full = Ingest(*store, kSales, source, "a.csv").status();
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted) << full;
  disk.Free();
  EXPECT_EQ(store.Read("sales", text).rows_added, 1u);
}

// A file of random rows, some of them equal and some bad.
std::string RandomFile() {
  std::string text = "week,who,price,name\n";
  for (const int row : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12))) {
    text += row == 11 ? "bad,row\n" : fmt::format("{},{},{},\"na\nme\"\n", row, row % 3 == 0 ? "" : "ann", row * 0.5);
  }
  return text;
}

RC_GTEST_PROP(IngestLaw, AFileReadTwiceIsAFileReadOnce, ()) {
  static StoreFixture store(kTables);
  const std::string text = RandomFile();
  const uint64_t before = *store->RowCount(kSales);
  const IngestReport first = store.Read("sales", text);
  const IngestReport second = store.Read("sales", text);
  RC_ASSERT(first.rows_added + first.rows_known + first.rows_quarantined == first.rows_read);
  RC_ASSERT(second.rows_added == 0u);
  RC_ASSERT(second.rows_known == first.rows_added + first.rows_known);
  RC_ASSERT(*store->RowCount(kSales) == before + first.rows_added);
}

TEST(IngestReportTest, IsWrittenForProgramsAndForPeople) {
  IngestReport report;
  report.file = "sales\xff.csv";
  report.table = kSales;
  report.rows_read = 3;
  report.rows_added = 2;
  report.Quarantine(3, RowFault::kType, "week: not a whole number");
  EXPECT_THAT(ToJson(report),
              AllOf(HasSubstr("\"rows_added\": 2"), HasSubstr("\"refused\": false"), HasSubstr("\"line\": 3"),
                    HasSubstr("\"fault\": \"type\""), Not(HasSubstr("refusal\""))));
  EXPECT_EQ(Summary(report), "sales\xff.csv: 3 rows read, 2 added, 1 quarantined (type 1)");
  report.refusal = "the file is empty";
  EXPECT_THAT(ToJson(report), HasSubstr("\"refusal\": \"the file is empty\""));
  EXPECT_EQ(Summary(report), "sales\xff.csv: refused: the file is empty");
}

}  // namespace
}  // namespace aisle
