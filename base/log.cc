#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace aisle {
namespace {

constexpr size_t kLineLengthMax = 4096;

struct LevelName {
  std::string_view name;
  LogLevel level;
};
constexpr std::array kLevelNames = {LevelName{"debug", LogLevel::kDebug}, LevelName{"info", LogLevel::kInfo},
                                    LevelName{"warning", LogLevel::kWarning}, LevelName{"error", LogLevel::kError},
                                    LevelName{"off", LogLevel::kOff}};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

std::shared_ptr<spdlog::logger> NewLogger(const std::string& program) {
  auto logger = std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %-7l %n  %v", spdlog::pattern_time_type::utc));
  return logger;
}

// Loggers are never freed, so that a thread that is still logging can't be surprised by InitLog.
spdlog::logger* MakeLogger(const std::string& program) {
  static auto* const mutex = new std::mutex;
  static auto* const made = new std::vector<std::shared_ptr<spdlog::logger>>;
  const std::scoped_lock lock(*mutex);
  return made->emplace_back(NewLogger(program)).get();
}

// Replaced by InitLog only.
std::atomic<spdlog::logger*>& Logger() {
  static std::atomic<spdlog::logger*> logger{MakeLogger("aisle")};
  return logger;
}

bool IsPlain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

// One line of printable text. Bytes of UTF-8 pass.
std::string Escape(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    if (line.size() >= kLineLengthMax) return line + " [cut]";
    if (IsPlain(c)) {
      line += c;
    } else {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return line;
}

}  // namespace

StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  for (const LevelName& entry : kLevelNames) {
    if (entry.name == text) return entry.level;
  }
  return InvalidArgument("log level '{}' is none of debug, info, warning, error, off", text);
}

void InitLog(std::string_view program, LogLevel level) {
  spdlog::logger* logger = MakeLogger(std::string(program));
  logger->set_level(ToSpdlog(level));
  Logger().store(logger);
}

void SetLogLevel(LogLevel level) { Logger().load()->set_level(ToSpdlog(level)); }

bool LogsAt(LogLevel level) { return level != LogLevel::kOff && Logger().load()->should_log(ToSpdlog(level)); }

void LogLine(LogLevel level, std::string_view text) {
  const std::string line = Escape(text);
  Logger().load()->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace aisle
