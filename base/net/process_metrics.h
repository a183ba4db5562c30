// What this process costs, read from /proc/self.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

struct ProcessUsage {
  uint64_t resident_bytes = 0;
  uint64_t resident_peak_bytes = 0;
  double cpu_seconds = 0;  // User and system, all threads, since the process began.
  uint64_t open_files = 0;
  uint64_t threads = 0;
};

StatusOr<ProcessUsage> ReadProcessUsage();

// aisle_<program>_resident_bytes, _resident_peak_bytes, _cpu_seconds_total, _open_files, _threads, and
// aisle_<program>_build_info{version}. Read anew at every scrape.
std::shared_ptr<prometheus::Collectable> MakeProcessMetrics(std::string_view program, std::string_view version);

}  // namespace aisle
