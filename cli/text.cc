#include "cli/text.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace aisle::cli {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementText = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = 0;
  size_t size = 1;  // Bytes taken.
  bool valid = true;
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint NextCodePoint(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || size > text.size()) return {kReplacement, 1, false};
  char32_t value = first & (0xFFU >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {kReplacement, 1, false};
    value = value << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {kReplacement, 1, false};
  return {value, size, true};
}

struct Interval {
  char32_t first;
  char32_t last;
};

template <size_t kCount>
bool IsIn(const Interval (&intervals)[kCount], char32_t c) {
  return std::ranges::any_of(intervals, [c](const Interval& each) { return each.first <= c && c <= each.last; });
}

// C0, DEL, C1, line separators, and the marks that turn the direction of text around.
constexpr Interval kControls[] = {{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x202E}, {0x2066, 0x2069}};
constexpr Interval kMarks[] = {{0x300, 0x36F},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                               {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
constexpr Interval kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xAC00, 0xD7A3},
                              {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6},
                              {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

size_t WidthOf(char32_t c) { return IsIn(kMarks, c) ? 0 : IsIn(kWide, c) ? 2 : 1; }

}  // namespace

std::string Printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    safe += next.valid && !IsIn(kControls, next.value) ? text.substr(0, next.size) : kReplacementText;
    text.remove_prefix(next.size);
  }
  return safe;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    width += WidthOf(next.value);
    text.remove_prefix(next.size);
  }
  return width;
}

std::string CutToWidth(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string head;
  for (size_t used = 0; !text.empty();) {
    const CodePoint next = NextCodePoint(text);
    used += WidthOf(next.value);
    if (used > width - 1) break;
    head += text.substr(0, next.size);
    text.remove_prefix(next.size);
  }
  return head + "…";
}

std::string TimeText(int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

std::string AgeText(int64_t unix_ms, absl::Time now) {
  if (unix_ms == 0) return "never";
  const absl::Duration age = now - absl::FromUnixMillis(unix_ms);
  const auto coarse = [](absl::Duration span) {
    if (span < absl::Minutes(2)) return fmt::format("{}s", absl::ToInt64Seconds(span));
    if (span < absl::Hours(2)) return fmt::format("{}m", absl::ToInt64Minutes(span));
    if (span < absl::Hours(48)) return fmt::format("{}h", absl::ToInt64Hours(span));
    return fmt::format("{}d", absl::ToInt64Hours(span) / 24);
  };
  return age < absl::ZeroDuration() ? "in " + coarse(-age) : coarse(age) + " ago";
}

std::string SpanText(absl::Duration span) {
  if (span < absl::Milliseconds(10)) return fmt::format("{:.2g}ms", absl::ToDoubleMilliseconds(span));
  if (span < absl::Seconds(1)) return fmt::format("{}ms", absl::ToInt64Milliseconds(span));
  if (span < absl::Seconds(10)) return fmt::format("{:.1f}s", absl::ToDoubleSeconds(span));
  const int64_t seconds = absl::ToInt64Seconds(span);
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string NumberText(double value) { return fmt::format("{:.4g}", value); }

std::string EpsilonText(double epsilon, std::string_view unit, double delta) {
  if (unit == "none" || unit.empty()) return "none promised";
  if (!std::isfinite(epsilon)) return fmt::format("unbounded ({})", unit);
  return fmt::format("{} ({}, delta {}, by RDP)", NumberText(epsilon), unit, NumberText(delta));
}

std::string CountText(uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

}  // namespace aisle::cli
