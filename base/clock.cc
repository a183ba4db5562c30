#include "base/clock.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace aisle {
namespace {

// Splits "1.5 GiB" into 1.5 and "GiB"; false if it doesn't start with a plain non-negative decimal.
bool SplitNumber(std::string_view text, double& number, std::string_view& rest) {
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return false;
  rest = std::string_view(next, static_cast<size_t>(end - next));
  return true;
}

constexpr std::array kDurationUnits = std::to_array<std::pair<std::string_view, int64_t>>(
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
constexpr std::array kByteUnits = std::to_array<std::pair<std::string_view, double>>({{"", 1},
                                                                                      {"B", 1},
                                                                                      {"kB", 1e3},
                                                                                      {"MB", 1e6},
                                                                                      {"GB", 1e9},
                                                                                      {"KiB", 1024},
                                                                                      {"MiB", 1048576},
                                                                                      {"GiB", 1073741824},
                                                                                      {"TiB", 1099511627776}});

}  // namespace

StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  const Status bad =
      InvalidArgument("'{}' is not a duration; write it as \"90s\", \"1h30m\", \"250ms\" or \"3d\"", text);
  if (text.empty()) return bad;
  absl::Duration total;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    if (!SplitNumber(rest, number, rest)) return bad;
    const size_t unit_size = std::min(rest.find_first_of("0123456789."), rest.size());
    const std::string_view unit = rest.substr(0, unit_size);
    rest.remove_prefix(unit_size);
    bool known = false;
    for (const auto& [name, milliseconds] : kDurationUnits) {
      if (unit == name) {
        total += number * absl::Milliseconds(milliseconds);
        known = true;
      }
    }
    if (!known) return bad;
  }
  return total;
}

std::string FormatDuration(absl::Duration duration) { return absl::FormatDuration(duration); }

std::string FormatUtc(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

StatusOr<uint64_t> ParseByteCount(std::string_view text) {
  double number = 0;
  std::string_view unit;
  if (SplitNumber(text, number, unit)) {
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    for (const auto& [name, factor] : kByteUnits) {
      if (unit == name && number * factor < 9e18) return static_cast<uint64_t>(std::llround(number * factor));
    }
  }
  return InvalidArgument("'{}' is not a number of bytes; write it as \"64 MiB\", \"1.5 GiB\" or \"4096\"", text);
}

std::string FormatByteCount(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace aisle
