#include "cli/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "cli/progress.h"
#include "cli/table.h"

namespace aisle::cli {
namespace {

TEST(TextTest, KeepsWordsAndTakesAwayWhatSteersTheTerminal) {
  EXPECT_EQ(Printable("Müller & Söhne 雑貨"), "Müller & Söhne 雑貨");
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\td\x7f"),
            "a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD"
            "c\xEF\xBF\xBD"
            "d\xEF\xBF\xBD");
  EXPECT_EQ(Printable("x\xE2\x80\xAEy"), "x\xEF\xBF\xBDy") << "right-to-left override";
}

TEST(TextTest, ReplacesBytesThatAreNotUtf8) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::string safe = Printable(std::string("a") + bad + "b");
    EXPECT_TRUE(safe.starts_with("a\xEF\xBF\xBD")) << safe;
    EXPECT_TRUE(safe.ends_with("b")) << safe;
  }
}

TEST(TextTest, MeasuresColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth("store"), 5U);
  EXPECT_EQ(DisplayWidth("Zürich"), 6U);
  EXPECT_EQ(DisplayWidth("雑貨"), 4U);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1U) << "a letter and its accent";
}

TEST(TextTest, CutsAtTheWidthAndShowsIt) {
  EXPECT_EQ(CutToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(CutToWidth("abcdef", 4), "abc…");
  EXPECT_EQ(CutToWidth("雑貨店舗", 4), "雑…") << "a wide character is never cut in half";
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST(TextTest, SaysSpansAndAgesShortly) {
  EXPECT_EQ(SpanText(absl::Milliseconds(850)), "850ms");
  EXPECT_EQ(SpanText(absl::Milliseconds(4200)), "4.2s");
  EXPECT_EQ(SpanText(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(SpanText(absl::Minutes(125)), "2h05m");
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(AgeText(0, now), "never");
  EXPECT_EQ(AgeText(absl::ToUnixMillis(now - absl::Seconds(12)), now), "12s ago");
  EXPECT_EQ(AgeText(absl::ToUnixMillis(now + absl::Hours(72)), now), "in 3d");
  EXPECT_EQ(TimeText(0), "-");
  EXPECT_EQ(TimeText(1'000), "1970-01-01 00:00:01Z");
}

TEST(TextTest, NamesTheUnitOfEveryEpsilonAndSaysWhenThereIsNone) {
  EXPECT_EQ(EpsilonText(3.14159, "store", 1e-6), "3.142 (store, delta 1e-06, by RDP)");
  EXPECT_EQ(EpsilonText(0, "none", 0), "none promised");
  EXPECT_EQ(EpsilonText(std::numeric_limits<double>::infinity(), "store", 1e-6), "unbounded (store)");
}

TEST(TextTest, GroupsDigits) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1000), "1,000");
  EXPECT_EQ(CountText(12345678), "12,345,678");
}

TEST(TableTest, AlignsColumnsByWhatIsSeen) {
  Table table({{"store"}, {"rounds", Align::kRight}, {"note"}});
  table.Row({"zürich-1", "3", "ok"}).Row({"雑貨", "12"});
  EXPECT_EQ(table.Render(),
            "store     rounds  note\n"
            "zürich-1       3  ok\n"
            "雑貨          12\n");
}

TEST(TableTest, CutsLinesAtTheTerminalsWidthOnly) {
  Table table({{"a"}, {"b"}});
  table.Row({"1", "a long refusal"});
  EXPECT_EQ(table.Render(8), "a  b\n1  a lo…\n");
  EXPECT_EQ(table.Render(), "a  b\n1  a long refusal\n");
}

TEST(TableTest, FactsIndentTheLaterLinesOfAValue) {
  Facts facts;
  facts.Add("job", "demand").Add("operators", "aten::add\naten::mul").AddIf(false, "reason", "none");
  EXPECT_EQ(facts.Render(),
            "job        demand\n"
            "operators  aten::add\n"
            "           aten::mul\n");
}

TEST(ProgressTest, DrawsTheShareThatIsDone) {
  EXPECT_EQ(RenderBar(0, 10, 4), "[----]   0%");
  EXPECT_EQ(RenderBar(5, 10, 4), "[##--]  50%");
  EXPECT_EQ(RenderBar(10, 10, 4), "[####] 100%");
  EXPECT_EQ(RenderBar(11, 10, 4), "[####] 100%");
  EXPECT_EQ(RenderBar(1, 0, 4), "[----]   0%");
}

}  // namespace
}  // namespace aisle::cli
