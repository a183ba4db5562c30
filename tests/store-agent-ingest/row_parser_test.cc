#include "store-agent/ingest/row_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const TableSchema& Sample() {
  static const Schema schema = *Schema::Parse(R"(
[t.columns]
i = {type = "int64", range = [-10, 10]}
d = {type = "double", range = [0, 1]}
s = {type = "string"}
t = {type = "timestamp", range = ["2020-01-01", "2030-01-01"]}
b = {type = "bytes", size = 3}
n = {type = "int64", nullable = true}
m = {type = "string", nullable = true, header = "My Text"}
)");
  return schema.tables[0];
}

using Fields = std::vector<std::string_view>;
const Fields kHeader = {"i", "d", "s", "t", "b", "n", "My Text"};
const Fields kGood = {"1", "0.5", "text", "2026-01-31", "616263", "7", "more"};

TEST(RowParserTest, SetsEveryColumn) {
  const StatusOr<RowParser> parser = RowParser::Make(Sample(), kHeader);
  ASSERT_TRUE(parser.ok()) << parser.status();
  Row row(7);
  EXPECT_FALSE(parser->Parse(kGood, row));
  EXPECT_EQ(row[0], Value(int64_t{1}));
  EXPECT_EQ(row[1], Value(0.5));
  EXPECT_EQ(row[2], Value("text"));
  EXPECT_EQ(row[3], Value(int64_t{1769817600}));
  EXPECT_EQ(row[4], Value("abc"));
  EXPECT_EQ(row[5], Value(int64_t{7}));
  EXPECT_EQ(row[6], Value("more"));
}

struct FieldCase {
  size_t column;
  std::string text;
  std::optional<RowFault> fault;
  Value value = {};
};

class RowFieldTest : public ::testing::TestWithParam<FieldCase> {};

TEST_P(RowFieldTest, IsTakenOrRefusedWithItsReason) {
  const FieldCase& test = GetParam();
  const StatusOr<RowParser> parser = RowParser::Make(Sample(), kHeader);
  Fields fields = kGood;
  fields[test.column] = test.text;
  Row row(7);
  const std::optional<RowMistake> mistake = parser->Parse(fields, row);
  ASSERT_EQ(mistake.has_value(), test.fault.has_value()) << test.text;
  if (!mistake) {
    EXPECT_EQ(row[test.column], test.value) << test.text;
    return;
  }
  EXPECT_EQ(mistake->fault, *test.fault) << test.text;
  EXPECT_THAT(mistake->text, HasSubstr(Sample().columns[test.column].name + ":"));
  if (test.text.size() > 3) {
    EXPECT_THAT(mistake->text, Not(HasSubstr(test.text)));  // Never quotes the data.
  }
}

const std::optional<RowFault> kFine;

INSTANTIATE_TEST_SUITE_P(
    , RowFieldTest,
    ::testing::Values(
        FieldCase{0, "-10", kFine, int64_t{-10}}, FieldCase{0, "+3", kFine, int64_t{3}},
        FieldCase{0, " 3\t", kFine, int64_t{3}}, FieldCase{0, "3.0", kFine, int64_t{3}},
        FieldCase{0, "3.", kFine, int64_t{3}}, FieldCase{0, "3.5", RowFault::kType}, FieldCase{0, "x", RowFault::kType},
        FieldCase{0, "3x", RowFault::kType}, FieldCase{0, "0x1", RowFault::kType}, FieldCase{0, "+-3", RowFault::kType},
        FieldCase{0, "11", RowFault::kRange}, FieldCase{0, "99999999999999999999", RowFault::kRange},
        FieldCase{0, "", RowFault::kNull}, FieldCase{0, "  ", RowFault::kNull}, FieldCase{1, "1e-3", kFine, 1e-3},
        FieldCase{1, "1", kFine, 1.0}, FieldCase{1, "-0.0", kFine, 0.0}, FieldCase{1, "nan", RowFault::kType},
        FieldCase{1, "inf", RowFault::kType}, FieldCase{1, "0,5", RowFault::kType},
        FieldCase{1, "1.001", RowFault::kRange}, FieldCase{1, "1e999", RowFault::kRange},
        FieldCase{1, "", RowFault::kNull}, FieldCase{2, "", kFine, std::string()},
        FieldCase{2, " kept ", kFine, std::string(" kept ")},
        FieldCase{2, "gr\xc3\xbc\xc3\x9f", kFine, std::string("gr\xc3\xbc\xc3\x9f")},
        FieldCase{2, "gr\xfc\xdf", RowFault::kEncoding},
        FieldCase{2, std::string(kStringLengthMax + 1, 'x'), RowFault::kTooLong},
        FieldCase{3, "2026-01-31T00:00:00Z", kFine, int64_t{1769817600}}, FieldCase{3, "31.01.2026", RowFault::kType},
        FieldCase{3, "2019-12-31", RowFault::kRange}, FieldCase{4, "YWJj", kFine, std::string("abc")},
        FieldCase{4, "61626", RowFault::kType}, FieldCase{4, "6162zz", RowFault::kType},
        FieldCase{4, "YW J", RowFault::kType}, FieldCase{5, "", kFine, std::monostate()},
        FieldCase{5, " ", kFine, std::monostate()}, FieldCase{6, "", kFine, std::monostate()}));

TEST(RowParserTest, FieldsMustBeAsManyAsTheHeaders) {
  const StatusOr<RowParser> parser = RowParser::Make(Sample(), kHeader);
  Row row(7);
  for (const size_t count : {size_t{6}, size_t{8}}) {
    Fields fields = kGood;
    fields.resize(count);
    const std::optional<RowMistake> mistake = parser->Parse(fields, row);
    ASSERT_TRUE(mistake);
    EXPECT_EQ(mistake->fault, RowFault::kFieldCount);
    EXPECT_EQ(mistake->text, fmt::format("{} fields, but the header has 7", count));
  }
}

TEST(RowParserTest, ColumnsMayComeInAnyOrderAndMayBeMore) {
  const Fields header = {"extra", " My Text ", "n", "b", "t", "s", "d", "i", "other"};
  const StatusOr<RowParser> parser = RowParser::Make(Sample(), header);
  ASSERT_TRUE(parser.ok()) << parser.status();
  EXPECT_THAT(parser->ignored(), ElementsAre("extra", "other"));
  Row row(7);
  EXPECT_FALSE(parser->Parse(Fields{"?", "m", "7", "616263", "2026-01-31", "s", "1", "9", "?"}, row));
  EXPECT_EQ(row[0], Value(int64_t{9}));
  EXPECT_EQ(row[6], Value("m"));
}

TEST(RowParserTest, AHeaderThatMissesColumnsNamesThemAll) {
  const Status status = RowParser::Make(Sample(), Fields{"i", "d", "secret value"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(status)),
              AllOf(HasSubstr("misses: s, t, b, n, My Text"), Not(HasSubstr("secret"))));
  EXPECT_THAT(std::string(MessageOf(RowParser::Make(Sample(), Fields{"i;d;s"}).status())),
              HasSubstr("parted by commas"));
  Fields twice = kHeader;
  twice.push_back("d");
  EXPECT_THAT(std::string(MessageOf(RowParser::Make(Sample(), twice).status())), HasSubstr("names twice: d"));
}

TEST(Utf8Test, KnowsWellFormedText) {
  for (const char* good :
       {"", "plain", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x9b\x92", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                          "\xe2\x82", "\xc3", "\xf0\x80\x80\xaf", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

}  // namespace
}  // namespace aisle
