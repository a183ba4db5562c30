// The timestamps of CSV files and tables.toml: RFC 3339 and its common short forms.
#include <charconv>

#include "store-agent/tables/schema.h"

namespace aisle {
namespace {

// Takes exactly `digits` digits off the front of `text`.
bool TakeNumber(std::string_view& text, size_t digits, int64_t& number) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t DaysOfMonth(int64_t year, int64_t month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// "08:00", "08:00:00", "08:00:00.25": seconds of the day. A leap second counts as the one before it.
bool TakeClock(std::string_view& text, int64_t& seconds) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  if (!TakeNumber(text, 2, hour) || !Take(text, ':') || !TakeNumber(text, 2, minute)) return false;
  if (Take(text, ':') && !TakeNumber(text, 2, second)) return false;
  if (Take(text, '.')) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 9) return false;
    text.remove_prefix(digits);
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  seconds = hour * 3600 + minute * 60 + std::min<int64_t>(second, 59);
  return true;
}

// "Z", "+01:00", "-0530", or nothing at all: seconds east of UTC.
bool TakeOffset(std::string_view& text, int64_t& offset) {
  if (text.empty() || Take(text, 'Z') || Take(text, 'z')) return true;
  const bool west = text[0] == '-';
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!Take(text, west ? '-' : '+') || !TakeNumber(text, 2, hours)) return false;
  Take(text, ':');
  if (!TakeNumber(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  return true;
}

}  // namespace

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!TakeNumber(text, 4, year) || !Take(text, '-') || !TakeNumber(text, 2, month) || !Take(text, '-') ||
      !TakeNumber(text, 2, day)) {
    return std::nullopt;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysOfMonth(year, month)) return std::nullopt;
  int64_t seconds = 0;
  int64_t offset = 0;
  if (!text.empty()) {
    if (!Take(text, ' ') && !Take(text, 'T') && !Take(text, 't')) return std::nullopt;
    if (!TakeClock(text, seconds) || !TakeOffset(text, offset) || !text.empty()) return std::nullopt;
  }
  return DaysFromCivil(year, month, day) * 86400 + seconds - offset;
}

}  // namespace aisle
