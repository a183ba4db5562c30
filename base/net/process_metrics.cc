#include "base/net/process_metrics.h"

#include <prometheus/metric_family.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/storage/files.h"

namespace aisle {
namespace {

// The number after "Key:" in /proc/self/status.
uint64_t FieldOf(std::string_view status, std::string_view key) {
  const size_t at = status.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = status.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  uint64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

double CpuSeconds() {
  timespec cost{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cost) != 0) return 0;
  return static_cast<double>(cost.tv_sec) + static_cast<double>(cost.tv_nsec) * 1e-9;
}

uint64_t CountOpenFiles() {
  std::error_code error;
  uint64_t count = 0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", error); at != std::filesystem::end(at);
       at.increment(error)) {
    if (error) break;
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // Without the one that counts.
}

class ProcessMetrics final : public prometheus::Collectable {
 public:
  ProcessMetrics(std::string_view program, std::string_view version)
      : prefix_(fmt::format("aisle_{}_", program)), version_(version) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    families.push_back(One("build_info", "Always 1; the label says which version runs.", 1));
    families.back().metric[0].label = {{"version", version_}};
    const StatusOr<ProcessUsage> usage = ReadProcessUsage();
    if (!usage.ok()) return families;
    const auto number = [](uint64_t value) { return static_cast<double>(value); };
    families.push_back(One("resident_bytes", "Memory in use now.", number(usage->resident_bytes)));
    families.push_back(One("resident_peak_bytes", "Most memory ever in use.", number(usage->resident_peak_bytes)));
    families.push_back(One("open_files", "Open file descriptors, sockets included.", number(usage->open_files)));
    families.push_back(One("threads", "Threads.", number(usage->threads)));
    families.push_back(One("cpu_seconds_total", "Processor time, user and system.", 0));
    families.back().type = prometheus::MetricType::Counter;
    families.back().metric[0].counter.value = usage->cpu_seconds;
    return families;
  }

 private:
  prometheus::MetricFamily One(std::string_view name, std::string help, double value) const {
    prometheus::MetricFamily family{prefix_ + std::string(name), std::move(help), prometheus::MetricType::Gauge, {}};
    family.metric.emplace_back();
    family.metric[0].gauge.value = value;
    return family;
  }
  std::string prefix_;
  std::string version_;
};

}  // namespace

StatusOr<ProcessUsage> ReadProcessUsage() {
  AISLE_ASSIGN_OR_RETURN(const std::string status, ReadFile("/proc/self/status"));
  return ProcessUsage{.resident_bytes = FieldOf(status, "VmRSS:") * 1024,
                      .resident_peak_bytes = FieldOf(status, "VmHWM:") * 1024,
                      .cpu_seconds = CpuSeconds(),
                      .open_files = CountOpenFiles(),
                      .threads = FieldOf(status, "Threads:")};
}

std::shared_ptr<prometheus::Collectable> MakeProcessMetrics(std::string_view program, std::string_view version) {
  return std::make_shared<ProcessMetrics>(program, version);
}

}  // namespace aisle
