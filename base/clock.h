// Time, handed in. Pure cores take `absl::Time now`; only shells own a Clock.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <string>

#include "base/status.h"

namespace aisle {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;  // Thread-safe.
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

// "90s", "1h30m", "250ms", "3d". InvalidArgument for anything else, negative values included.
StatusOr<absl::Duration> ParseDuration(std::string_view text);
std::string FormatDuration(absl::Duration duration);  // "1h30m", for people.
std::string FormatUtc(absl::Time time);               // RFC 3339 in UTC with seconds: "2026-01-31T08:00:00Z".

// "64 MiB", "1.5 GiB", "200 kB", "4096". InvalidArgument for anything else.
StatusOr<uint64_t> ParseByteCount(std::string_view text);
std::string FormatByteCount(uint64_t bytes);  // "1.5 GiB", for people.

}  // namespace aisle
