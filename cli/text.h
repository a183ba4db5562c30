// Text as a terminal shows it. Names and details come from stores and files: nothing in them may steer the terminal.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace aisle::cli {

// The same text with control characters and bytes that aren't UTF-8 replaced by U+FFFD, so that it can neither move the
// cursor nor break a line.
std::string Printable(std::string_view text);

// Columns that printable UTF-8 takes: combining marks none, East Asian wide characters and emoji two, all others one.
size_t DisplayWidth(std::string_view text);

// The longest head of `text` that fits into `width` columns, with "…" where something was cut off.
std::string CutToWidth(std::string_view text, size_t width);

// "2026-01-31 08:00:00Z"; "-" for zero, which stands for never in our messages.
std::string TimeText(int64_t unix_ms);
// "12s ago", "3h ago", "in 5m"; "never" for zero.
std::string AgeText(int64_t unix_ms, absl::Time now);
// "850ms", "4.2s", "1m30s", "2h05m".
std::string SpanText(absl::Duration span);
// Four significant digits, no trailing zeros: "0.4123", "12.35", "1e-05".
std::string NumberText(double value);
// "3.21 (store, delta 1e-05, by RDP)"; says plainly if nothing is promised. Of figures that HQ counts up round by
// round, as ledgers do; `aisle privacy price` gives the tighter ones of privacy loss distributions.
std::string EpsilonText(double epsilon, std::string_view unit, double delta);
// "12,345".
std::string CountText(uint64_t count);

}  // namespace aisle::cli
