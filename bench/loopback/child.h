// A server program started for a benchmark, on a port of its own choosing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"

namespace aisle {

// What a process has cost so far.
struct Usage {
  double cpu_seconds = 0;      // User and system, all threads; to a hundredth.
  uint64_t resident = 0;       // Bytes, now.
  uint64_t resident_peak = 0;  // Bytes.
};
StatusOr<Usage> UsageOf(pid_t pid);

class Child {
 public:
  // Runs `command` and waits until it names a port, as in "serving on port N", on its standard error. Unavailable, with
  // what it wrote, if it ends before that.
  static StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& command);
  ~Child();     // SIGTERM, and waits for its end.
  void Kill();  // SIGKILL, now: as a crash ends it. Waits for its end.
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  StatusOr<Usage> usage() const { return UsageOf(pid_); }

 private:
  Child(pid_t pid, int log);
  void ReadLog();
  void End(int signal);

  const pid_t pid_;
  const int log_;  // The read end of its standard error.
  std::promise<StatusOr<int>> serving_;
  int port_ = 0;
  bool ended_ = false;
  std::thread reader_;
};

}  // namespace aisle
