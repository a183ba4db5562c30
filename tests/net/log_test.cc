#include "base/log.h"

#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/net/grpc_setup.h"

namespace aisle {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override { InitLog("tester", LogLevel::kInfo); }
  void TearDown() override { InitLog("tester", LogLevel::kInfo); }
  template <typename Action>
  static std::string Captured(Action action) {
    ::testing::internal::CaptureStderr();
    action();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesOneLineWithTimeLevelAndProgram) {
  const std::string text = Captured([] { LogInfo("round {} committed", 7); });
  EXPECT_NE(text.find("Z info"), std::string::npos) << text;
  EXPECT_NE(text.find("tester  round 7 committed\n"), std::string::npos) << text;
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(Captured([] { LogDebug("hidden"); }), "");
  SetLogLevel(LogLevel::kDebug);
  EXPECT_NE(Captured([] { LogDebug("shown"); }), "");
  SetLogLevel(LogLevel::kOff);
  EXPECT_EQ(Captured([] { LogError("hidden"); }), "");
}

TEST_F(LogTest, LetsNoTextForgeALine) {
  const std::string text = Captured([] { LogWarning("name {}", std::string("a\nb\r\x1b[31m\0c", 11)); });
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_NE(text.find("a\\x0ab\\x0d\\x1b[31m\\x00c"), std::string::npos) << text;
}

TEST_F(LogTest, CutsEndlessLines) {
  EXPECT_LT(Captured([] { LogInfo("{}", std::string(1 << 20, 'a')); }).size(), 5000u);
}

TEST_F(LogTest, KnowsItsLevelsByName) {
  EXPECT_EQ(ParseLogLevel("warning").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("loud").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(LogTest, TakesGrpcsLinesButNotAFlood) {
  SetUpGrpc();
  constexpr int kLines = 1000;
  const uint64_t dropped_before = GrpcLogLinesDropped();
  const std::string text = Captured([] {
    for (int i = 0; i < kLines; ++i) gpr_log(GPR_ERROR, "handshake failed");
  });
  // How many pass depends on what else was logged in this second, but each line is either there or counted.
  const auto written = static_cast<uint64_t>(std::ranges::count(text, '\n'));
  EXPECT_EQ(written + GrpcLogLinesDropped() - dropped_before, kLines);
  EXPECT_GT(GrpcLogLinesDropped(), dropped_before);
  EXPECT_TRUE(written == 0 || text.find("warning tester  grpc log_test.cc:") != std::string::npos) << text;
}

}  // namespace
}  // namespace aisle
