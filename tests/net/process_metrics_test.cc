#include "base/net/process_metrics.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <vector>

#include "base/storage/files.h"

namespace aisle {
namespace {

TEST(ProcessUsageTest, IsPlausible) {
  const ProcessUsage usage = ReadProcessUsage().value();
  EXPECT_GT(usage.resident_bytes, 1u << 20);
  EXPECT_GE(usage.resident_peak_bytes, usage.resident_bytes);
  EXPECT_GT(usage.cpu_seconds, 0);
  EXPECT_GE(usage.open_files, 3u);
  EXPECT_GE(usage.threads, 1u);
}

TEST(ProcessUsageTest, SeesMemoryAndFilesComeAndStay) {
  const ProcessUsage before = ReadProcessUsage().value();
  constexpr size_t kSize = 32 << 20;
  const std::vector<char> memory(kSize, 1);
  const FileDescriptor file = OpenFile("/dev/null", 0).value();
  const ProcessUsage after = ReadProcessUsage().value();
  EXPECT_GE(after.resident_bytes + (4 << 20), before.resident_bytes + memory.size());
  EXPECT_EQ(after.open_files, before.open_files + 1);
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
}

TEST(ProcessMetricsTest, AreNamedAfterTheProgram) {
  const std::string text = prometheus::TextSerializer().Serialize(MakeProcessMetrics("agent", "0.1.0")->Collect());
  for (const char* line : {"aisle_agent_resident_bytes ", "aisle_agent_resident_peak_bytes ", "aisle_agent_open_files ",
                           "aisle_agent_threads ", "# TYPE aisle_agent_cpu_seconds_total counter",
                           "aisle_agent_build_info{version=\"0.1.0\"} 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace aisle
