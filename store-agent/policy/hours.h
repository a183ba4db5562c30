// When a site allows training: windows of the local day, such as "22:00-06:00".
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aisle {

// From `begin` to before `end`, in minutes of the local day (0 to 1440). A window whose end isn't after its begin goes
// over midnight.
struct HourWindow {
  int begin = 0;
  int end = 0;
  bool operator==(const HourWindow&) const = default;

  bool Contains(int minute_of_day) const;
};

// "22:00-06:00", "00:00-24:00". InvalidArgument for anything else, a window of no length included.
StatusOr<HourWindow> ParseHourWindow(std::string_view text);
std::string FormatHourWindow(const HourWindow& window);

// The windows of every day in one time zone. None: always open. Clocks that are set forward or back move the windows
// with them; a window that begins in an hour the clocks leave out begins right after it, and one that lies within that
// hour stays shut that day.
class Hours {
 public:
  Hours() = default;
  Hours(std::vector<HourWindow> windows, absl::TimeZone zone) : windows_(std::move(windows)), zone_(zone) {}

  bool IsOpen(absl::Time now) const;
  // The first time from `now` on that is open: `now` itself if it is.
  absl::Time OpensAt(absl::Time now) const;
  // The first time after `now` that isn't open; InfiniteFuture if that never comes, `now` if it is closed already.
  absl::Time ClosesAt(absl::Time now) const;

  const std::vector<HourWindow>& windows() const { return windows_; }
  std::string ToString() const;  // "22:00-06:00, 12:00-13:00 (Europe/Berlin)", or "always".

 private:
  // The first boundary of a window after `now`.
  absl::Time NextBoundary(absl::Time now) const;
  std::vector<HourWindow> windows_;
  absl::TimeZone zone_ = absl::LocalTimeZone();
};

}  // namespace aisle
