// The program's log: one line per event to stderr, in UTC, for people and for journald.
//
//   2026-01-31T08:00:00.123Z info  coordinator  round demand/7 committed with 12 stores
//
// Never logged: secrets, rows, updates, customer ids. Log before InitLog goes to stderr at level info, unnamed.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/status.h"

namespace aisle {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// "debug", "info", "warning", "error", "off". InvalidArgument lists them.
StatusOr<LogLevel> ParseLogLevel(std::string_view text);

// Call once, early in main. `program` is shown in every line.
void InitLog(std::string_view program, LogLevel level);
void SetLogLevel(LogLevel level);  // Thread-safe.
bool LogsAt(LogLevel level);       // Thread-safe.

// Writes one line; line breaks and control characters in `text` are escaped, so that a stranger's text can't forge
// lines. Thread-safe. Lines over 4 KiB are cut.
void LogLine(LogLevel level, std::string_view text);

#define AISLE_DEFINE_LOG(Name, level)                                                    \
  template <typename... Args>                                                            \
  void Name(fmt::format_string<Args...> format, Args&&... args) {                        \
    if (LogsAt(level)) LogLine(level, fmt::format(format, std::forward<Args>(args)...)); \
  }
AISLE_DEFINE_LOG(LogDebug, LogLevel::kDebug)
AISLE_DEFINE_LOG(LogInfo, LogLevel::kInfo)
AISLE_DEFINE_LOG(LogWarning, LogLevel::kWarning)
AISLE_DEFINE_LOG(LogError, LogLevel::kError)
#undef AISLE_DEFINE_LOG

}  // namespace aisle
