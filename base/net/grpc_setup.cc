#include "base/net/grpc_setup.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace aisle {
namespace {

// No party of ours ever has a pre-shared key, so this suite can't be agreed on. See the header.
constexpr const char* kUnusableTls12Suite = "PSK-AES256-GCM-SHA384";

// A bucket of lines a second: a port scanner's failed handshakes must not fill the disk.
class LineBudget {
 public:
  bool Take() {
    const std::lock_guard lock(mutex_);
    const int64_t second = absl::ToUnixSeconds(absl::Now());
    if (second != second_) {
      second_ = second;
      left_ = kLinesPerSecond;
    }
    if (left_ > 0) {
      --left_;
      return true;
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kLinesPerSecond = 10;
  std::mutex mutex_;
  int64_t second_ = 0;  // Guarded by mutex_.
  int left_ = 0;        // Guarded by mutex_.
  std::atomic<uint64_t> dropped_ = 0;
};

LineBudget& Budget() {
  static LineBudget budget;
  return budget;
}

LogLevel LevelOf(gpr_log_severity severity) {
  // What gRPC calls an error is most often a peer's failed handshake: worth a look, not a page.
  if (severity == GPR_LOG_SEVERITY_ERROR) return LogLevel::kWarning;
  return severity == GPR_LOG_SEVERITY_INFO ? LogLevel::kInfo : LogLevel::kDebug;
}

void ForwardLine(gpr_log_func_args* line) {
  const LogLevel level = LevelOf(line->severity);
  if (!LogsAt(level) || !Budget().Take()) return;
  std::string_view file = line->file;
  file = file.substr(file.find_last_of('/') + 1);
  LogLine(level, fmt::format("grpc {}:{}: {}", file, line->line, line->message));
}

}  // namespace

void SetUpGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::setenv("GRPC_SSL_CIPHER_SUITES", kUnusableTls12Suite, /*overwrite=*/1);
    // Debian's Abseil looks for deadlocks whenever a lock of gRPC's is taken: a graph of all locks of the process,
    // under one lock of its own. With ten thousand connections that is a twentieth of the processor time.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    gpr_set_log_function(ForwardLine);
    // Before its initialisation gRPC would log nothing, afterwards what the environment says: errors, by default.
    if (::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  });
}

uint64_t GrpcLogLinesDropped() { return Budget().dropped(); }

}  // namespace aisle
