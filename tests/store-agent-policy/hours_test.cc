#include "store-agent/policy/hours.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace aisle {
namespace {

absl::TimeZone Plus(int hours) { return absl::FixedTimeZone(hours * 3600); }

Hours HoursOf(std::vector<std::string> texts, absl::TimeZone zone) {
  std::vector<HourWindow> windows;
  for (const std::string& text : texts) windows.push_back(*ParseHourWindow(text));
  return {windows, zone};
}

absl::Time At(std::string_view text, absl::TimeZone zone) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", absl::string_view(text.data(), text.size()), zone, &time, &error));
  return time;
}

TEST(HourWindowTest, IsReadAndWritten) {
  EXPECT_EQ(*ParseHourWindow("22:00-06:30"), (HourWindow{1320, 390}));
  EXPECT_EQ(*ParseHourWindow("00:00-24:00"), (HourWindow{0, 1440}));
  EXPECT_EQ(FormatHourWindow({1320, 390}), "22:00-06:30");
  for (const char* bad : {"", "22-06", "22:00", "22:00-22:00", "24:00-06:00", "22:60-23:00", "2:00-3:00", "22:00-25:00",
                          "22:00-06:00 ", "-1:00-06:00", "aa:bb-cc:dd"}) {
    EXPECT_EQ(ParseHourWindow(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(HoursTest, WithoutWindowsIsAlwaysOpen) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_TRUE(Hours().IsOpen(now));
  EXPECT_EQ(Hours().OpensAt(now), now);
  EXPECT_EQ(Hours().ClosesAt(now), absl::InfiniteFuture());
  EXPECT_EQ(Hours().ToString(), "always");
}

TEST(HoursTest, AWindowOverMidnightBelongsToBothDays) {
  const absl::TimeZone zone = Plus(0);
  const Hours hours = HoursOf({"22:00-06:00"}, zone);
  EXPECT_FALSE(hours.IsOpen(At("2026-03-10 21:59", zone)));
  EXPECT_TRUE(hours.IsOpen(At("2026-03-10 22:00", zone)));
  EXPECT_TRUE(hours.IsOpen(At("2026-03-11 00:00", zone)));
  EXPECT_TRUE(hours.IsOpen(At("2026-03-11 05:59", zone)));
  EXPECT_FALSE(hours.IsOpen(At("2026-03-11 06:00", zone)));
  EXPECT_EQ(hours.OpensAt(At("2026-03-10 12:00", zone)), At("2026-03-10 22:00", zone));
  EXPECT_EQ(hours.ClosesAt(At("2026-03-10 23:00", zone)), At("2026-03-11 06:00", zone));
  EXPECT_EQ(hours.ClosesAt(At("2026-03-11 01:00", zone)), At("2026-03-11 06:00", zone));
  EXPECT_EQ(hours.ClosesAt(At("2026-03-10 12:00", zone)), At("2026-03-10 12:00", zone));
}

TEST(HoursTest, WindowsAreOfTheLocalDay) {
  const Hours hours = HoursOf({"01:00-02:00"}, Plus(9));
  EXPECT_TRUE(hours.IsOpen(At("2026-03-10 16:30", Plus(0))));
  EXPECT_FALSE(hours.IsOpen(At("2026-03-10 01:30", Plus(0))));
  EXPECT_EQ(hours.OpensAt(At("2026-03-10 17:00", Plus(0))), At("2026-03-11 16:00", Plus(0)));
}

TEST(HoursTest, WindowsThatTouchAreOne) {
  const absl::TimeZone zone = Plus(0);
  const Hours hours = HoursOf({"20:00-24:00", "00:00-04:00", "12:00-13:00"}, zone);
  EXPECT_EQ(hours.ClosesAt(At("2026-03-10 21:00", zone)), At("2026-03-11 04:00", zone));
  EXPECT_EQ(hours.OpensAt(At("2026-03-10 05:00", zone)), At("2026-03-10 12:00", zone));
  EXPECT_EQ(HoursOf({"00:00-12:00", "12:00-24:00"}, zone).ClosesAt(At("2026-03-10 21:00", zone)),
            absl::InfiniteFuture());
}

// Clocks went from 02:00 to 03:00 on 2026-03-29 and go from 03:00 back to 02:00 on 2026-10-25.
TEST(HoursTest, FollowsTheClocksWhenTheyAreSet) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone("Europe/Berlin", &zone)) GTEST_SKIP() << "this machine has no time zone data";
  const Hours night = HoursOf({"22:00-06:00"}, zone);
  EXPECT_EQ(night.ClosesAt(At("2026-03-28 22:00", zone)) - At("2026-03-28 22:00", zone), absl::Hours(7));
  EXPECT_EQ(night.ClosesAt(At("2026-10-24 22:00", zone)) - At("2026-10-24 22:00", zone), absl::Hours(9));
  const Hours begins_in_gap = HoursOf({"02:30-04:00"}, zone);
  EXPECT_EQ(begins_in_gap.OpensAt(At("2026-03-29 00:00", zone)), At("2026-03-29 03:00", zone));
  const Hours within_gap = HoursOf({"02:10-02:50"}, zone);
  EXPECT_EQ(within_gap.OpensAt(At("2026-03-29 00:00", zone)), At("2026-03-30 02:10", zone));
  const Hours comes_twice = HoursOf({"02:30-06:00"}, zone);
  const absl::Time second_two = At("2026-10-25 00:00", zone) + absl::Hours(3);  // 02:00 for the second time.
  EXPECT_FALSE(comes_twice.IsOpen(second_two));
  EXPECT_EQ(comes_twice.OpensAt(second_two), second_two + absl::Minutes(30));
}

RC_GTEST_PROP(HoursLaw, OpensWhereItSaysAndNotBefore, ()) {
  const int begin = *rc::gen::inRange(0, 1440);
  const int end = *rc::gen::inRange(0, 1441);
  RC_PRE(begin != end);
  const Hours hours({HourWindow{begin, end}}, Plus(*rc::gen::inRange(-12, 15)));
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000 + *rc::gen::inRange(0, 3 * 86400));
  const absl::Time opens = hours.OpensAt(now);
  RC_ASSERT(hours.IsOpen(opens));
  RC_ASSERT(opens == now || !hours.IsOpen(opens - absl::Seconds(1)));
  RC_ASSERT(opens - now <= absl::Hours(24));
  const absl::Time closes = hours.ClosesAt(opens);
  RC_ASSERT(closes == absl::InfiniteFuture() || (!hours.IsOpen(closes) && hours.IsOpen(closes - absl::Seconds(1))));
}

}  // namespace
}  // namespace aisle
