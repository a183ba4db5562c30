#include "store-agent/ingest/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/store-agent-ingest/sources.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;

// What a reader said: "3: a|b" for a record of line 3, "4! quoting" for a bad one.
std::vector<std::string> EventsOf(ByteSource& source, CsvLimits limits = {}) {
  CsvReader reader(source, limits);
  std::vector<std::string> events;
  for (;;) {
    const StatusOr<CsvReader::Event> event = reader.Next();
    EXPECT_TRUE(event.ok()) << event.status();
    if (!event.ok() || *event == CsvReader::Event::kEnd) return events;
    std::string text = std::to_string(reader.line());
    if (*event == CsvReader::Event::kBad) {
      text += "! " + std::string(NameOf(reader.fault()));
    } else {
      for (size_t i = 0; i < reader.fields().size(); ++i)
        text += (i == 0 ? ": " : "|") + std::string(reader.fields()[i]);
    }
    events.push_back(text);
  }
}

std::vector<std::string> EventsOf(std::string_view text, CsvLimits limits = {}) {
  TextSource source{std::string(text)};
  return EventsOf(source, limits);
}

struct CsvCase {
  std::string name;
  std::string text;
  std::vector<std::string> events;
};

class CsvReaderTest : public ::testing::TestWithParam<CsvCase> {};

TEST_P(CsvReaderTest, ReadsRecordsAndGetsOverBrokenOnes) { EXPECT_EQ(EventsOf(GetParam().text), GetParam().events); }

INSTANTIATE_TEST_SUITE_P(
    , CsvReaderTest,
    ::testing::Values(CsvCase{"Nothing", "", {}}, CsvCase{"OneField", "a", {"1: a"}},
                      CsvCase{"Plain", "a,b\n1,2\n", {"1: a|b", "2: 1|2"}},
                      CsvCase{"NoLastLineFeed", "a,b\n1,2", {"1: a|b", "2: 1|2"}},
                      CsvCase{"CarriageReturns", "a,b\r\n1,2\r\n", {"1: a|b", "2: 1|2"}},
                      CsvCase{"ByteOrderMark",
                              "\xef\xbb\xbf"
                              "a,b\n",
                              {"1: a|b"}},
                      CsvCase{"OnlyAByteOrderMark", "\xef\xbb\xbf", {}},
                      CsvCase{"EmptyFields", ",\n,,\na,\n", {"1: |", "2: ||", "3: a|"}},
                      CsvCase{"EmptyLastField", "a,", {"1: a|"}},
                      CsvCase{"BlankLines", "\n\r\na\n\n\nb\n\n", {"3: a", "6: b"}},
                      CsvCase{"EmptyQuotedFieldIsARecord", "\"\"\na\n", {"1: ", "2: a"}},
                      CsvCase{"Quoted", "\"a,b\",\"c\"\n", {"1: a,b|c"}},
                      CsvCase{"QuotedCarriageReturn", "\"a\",\"b\"\r\nc,d\r\n", {"1: a|b", "2: c|d"}},
                      CsvCase{"QuotedAtTheEnd", "\"a\",\"b\"", {"1: a|b"}},
                      CsvCase{"QuotedCarriageReturnAtTheEnd", "\"a\"\r", {"1: a"}},
                      CsvCase{"DoubledQuotes", "\"a\"\"b\",\"\"\"\",\"\"\"x\"\"\"\n", {"1: a\"b|\"|\"x\""}},
                      CsvCase{"QuotedLineBreaks", "\"a\nb\r\nc\",d\ne,f\n", {"1: a\nb\r\nc|d", "4: e|f"}},
                      CsvCase{"LoneCarriageReturnIsData", "a\rb,c\n", {"1: a\rb|c"}},
                      CsvCase{"SpacesAreData", " a , b \n", {"1:  a | b "}},
                      CsvCase{"QuoteInsideAField", "a\"b,c\nd,e\n", {"1! quoting", "2: d|e"}},
                      CsvCase{"TextAfterAQuote", "\"a\"b,c\nd,e\n", {"1! quoting", "2: d|e"}},
                      CsvCase{"OpenQuoteAtTheEnd", "a,\"b\nc,d\ne,f\n", {"1! quoting", "2: c|d", "3: e|f"}},
                      CsvCase{"OpenQuoteBeforeAnother", "a,\"b\nc,\"d\"\ne,f\n", {"1! quoting", "2: c|d", "3: e|f"}},
                      CsvCase{"TwoOpenQuotes", "a,\"b\nc,\"d\ne,f\n", {"1! quoting", "2! quoting", "3: e|f"}},
                      CsvCase{"NulByte",
                              std::string("a,b\n1,\0"
                                          "2\n3,4\n",
                                          12),
                              {"1: a|b", "2! nul_byte", "3: 3|4"}},
                      CsvCase{"NulByteInQuotes", std::string("\"1\n\0\",2\n3,4\n", 12), {"1! nul_byte", "3: 3|4"}}),
    [](const auto& test) { return test.param.name; });

TEST(CsvLimitsTest, ALongRecordCostsOnlyItself) {
  const CsvLimits limits{.record_max = 20, .fields_max = 4};
  EXPECT_THAT(EventsOf("a,b\n" + std::string(1000, 'x') + "\nc,d\n", limits),
              ElementsAre("1: a|b", "2! too_long", "3: c|d"));
  EXPECT_THAT(EventsOf("a,b\n1,2,3,4,5\nc,d\n", limits), ElementsAre("1: a|b", "2! too_long", "3: c|d"));
  EXPECT_THAT(EventsOf("a,\"b\n" + std::string(15, 'x') + "\n" + std::string(15, 'y') + "\n", limits),
              ElementsAre("1! quoting", "2: " + std::string(15, 'x'), "3: " + std::string(15, 'y')));
  EXPECT_THAT(EventsOf("12345678901234567,9\n1\n", limits), ElementsAre("1: 12345678901234567|9", "2: 1"));
  EXPECT_THAT(EventsOf("12345678901234567,90\n1\n", limits), ElementsAre("1! too_long", "2: 1"));
}

TEST(CsvLimitsTest, AQuoteThatSwallowsLinesGivesThemBack) {
  std::string text = "a,\"b\n";
  std::vector<std::string> expected = {"1! quoting"};
  for (int line = 2; line <= 20'000; ++line) {
    text += "some,more,fields,in,a,line,of,seventy,bytes,or,so,to,get,past,the,limit\n";
    expected.push_back(
        fmt::format("{}: some|more|fields|in|a|line|of|seventy|bytes|or|so|to|get|past|the|limit", line));
  }
  EXPECT_EQ(EventsOf(text), expected);
}

TEST(CsvLimitsTest, ALineOfAHundredMegabytesIsNotHeldInMemory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory to itself, so a peak says nothing";
#endif
  const auto peak = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10;
    }
    return 0ull;
  };
  RepeatingSource source("a,b\n", std::string(1 << 20, 'x'), 100, "\nc,d\n");
  const uint64_t before = peak();
  EXPECT_THAT(EventsOf(source), ElementsAre("1: a|b", "2! too_long", "3: c|d"));
  EXPECT_LT(peak() - before, 16u << 20);
}

// Texts that quoting, commas and line breaks make interesting.
rc::Gen<std::string> CsvText() {
  return rc::gen::container<std::string>(rc::gen::element('"', ',', '\n', '\r', 'a', 'b', '\0', ' '));
}

RC_GTEST_PROP(CsvReaderLaw, AnySplitIntoReadsGivesTheSameRecords, (std::vector<uint8_t> pieces)) {
  const std::string text = *CsvText();
  std::vector<size_t> sizes(pieces.begin(), pieces.end());
  sizes.push_back(1);
  TextSource source(text, sizes);
  RC_ASSERT(EventsOf(source, {.record_max = 30, .fields_max = 5}) ==
            EventsOf(text, {.record_max = 30, .fields_max = 5}));
}

RC_GTEST_PROP(CsvReaderLaw, WhatIsWrittenIsReadBack, ()) {
  const auto field = rc::gen::container<std::string>(rc::gen::element('"', ',', '\n', '\r', 'a', ' '));
  const auto records = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::suchThat(rc::gen::container<std::vector<std::string>>(field), [](const auto& r) { return !r.empty(); }));
  std::string text;
  std::vector<std::string> expected;
  uint64_t line = 1;
  for (const std::vector<std::string>& record : records) {
    std::string event = std::to_string(line);
    for (size_t i = 0; i < record.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : record[i]) text += c == '"' ? "\"\"" : std::string(1, c);
      text += '"';
      event += (i == 0 ? ": " : "|") + record[i];
      line += static_cast<uint64_t>(std::ranges::count(record[i], '\n'));
    }
    text += "\r\n";
    ++line;
    expected.push_back(event);
  }
  RC_ASSERT(EventsOf(text) == expected);
}

}  // namespace
}  // namespace aisle
