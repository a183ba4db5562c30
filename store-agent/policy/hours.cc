#include "store-agent/policy/hours.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace aisle {
namespace {

constexpr int kMinutesOfDay = 24 * 60;

// Minutes of the day of "06:30"; "24:00" is the end of the day.
std::optional<int> ParseClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  int hour = 0;
  int minute = 0;
  const auto number = [&](size_t at, int& value) {
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, value);
    return error == std::errc() && end == text.data() + at + 2 && text[at] != '-';
  };
  if (!number(0, hour) || !number(3, minute) || minute > 59) return std::nullopt;
  const int total = hour * 60 + minute;
  return total <= kMinutesOfDay ? std::optional<int>(total) : std::nullopt;
}

int MinuteOfDay(absl::Time now, const absl::TimeZone& zone) {
  const absl::CivilMinute minute = absl::ToCivilMinute(now, zone);
  return static_cast<int>(minute.hour() * 60 + minute.minute());
}

}  // namespace

bool HourWindow::Contains(int minute_of_day) const {
  if (begin < end) return minute_of_day >= begin && minute_of_day < end;
  return minute_of_day >= begin || minute_of_day < end;
}

StatusOr<HourWindow> ParseHourWindow(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const std::optional<int> begin = ParseClock(text.substr(0, dash));
    const std::optional<int> end = ParseClock(text.substr(dash + 1));
    if (begin && end && *begin < kMinutesOfDay && *begin != *end) return HourWindow{*begin, *end};
  }
  return InvalidArgument("\"{}\" isn't a window of the day such as \"22:00-06:00\"", text);
}

std::string FormatHourWindow(const HourWindow& window) {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", window.begin / 60, window.begin % 60, window.end / 60, window.end % 60);
}

bool Hours::IsOpen(absl::Time now) const {
  if (windows_.empty()) return true;
  const int minute = MinuteOfDay(now, zone_);
  return std::ranges::any_of(windows_, [&](const HourWindow& window) { return window.Contains(minute); });
}

absl::Time Hours::NextBoundary(absl::Time now) const {
  const absl::CivilDay today = absl::ToCivilDay(now, zone_);
  absl::Time next = absl::InfiniteFuture();
  for (absl::CivilDay day = today; day <= today + 2; ++day) {
    for (const HourWindow& window : windows_) {
      for (const int minute : {window.begin, window.end}) {
        // Where clocks are set, a minute of the day comes twice or not at all: then the change itself counts too.
        const absl::TimeZone::TimeInfo at = zone_.At(absl::CivilSecond(absl::CivilMinute(day) + minute));
        for (const absl::Time time : {at.pre, at.trans, at.post}) {
          if (time > now) next = std::min(next, time);
        }
      }
    }
  }
  return next;
}

absl::Time Hours::OpensAt(absl::Time now) const {
  while (!IsOpen(now)) now = NextBoundary(now);
  return now;
}

absl::Time Hours::ClosesAt(absl::Time now) const {
  if (windows_.empty()) return absl::InfiniteFuture();
  const absl::Time horizon = now + absl::Hours(72);  // Windows repeat daily: open for so long is open for ever.
  while (IsOpen(now)) {
    if (now > horizon) return absl::InfiniteFuture();
    now = NextBoundary(now);
  }
  return now;
}

std::string Hours::ToString() const {
  if (windows_.empty()) return "always";
  std::vector<std::string> texts;
  for (const HourWindow& window : windows_) texts.push_back(FormatHourWindow(window));
  return fmt::format("{} ({})", fmt::join(texts, ", "), zone_.name());
}

}  // namespace aisle
