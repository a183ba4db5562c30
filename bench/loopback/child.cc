#include "bench/loopback/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/storage/files.h"

extern char** environ;

namespace aisle {
namespace {

constexpr std::string_view kServing = " on port ";

// The first port announced in `log`; 0 if none is yet, or its line isn't whole.
int PortIn(const std::string& log) {
  const size_t at = log.find(kServing);
  if (at == std::string::npos || log.find_first_of(",\n", at) == std::string::npos) return 0;
  return std::atoi(log.c_str() + at + kServing.size());
}

}  // namespace

StatusOr<Usage> UsageOf(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder + "/stat");
  std::string line;
  std::getline(stat, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return Unavailable("process {} is gone", pid);
  std::istringstream fields(line.substr(name_end + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;  // proc(5): utime is the 14th, stime the 15th.
  double user = 0;
  double system = 0;
  fields >> user >> system;
  Usage usage{.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
  std::ifstream status(folder + "/status");
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) usage.resident = std::strtoull(line.c_str() + 6, nullptr, 10) << 10;
    if (line.starts_with("VmHWM:")) usage.resident_peak = std::strtoull(line.c_str() + 6, nullptr, 10) << 10;
  }
  return usage;
}

Child::Child(pid_t pid, int log) : pid_(pid), log_(log) {
  reader_ = std::thread([this] { ReadLog(); });
}

StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& command) {
  int log[2];
  if (::pipe2(log, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe for", command[0]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, log[1], STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(log[1]);
  if (error != 0) {
    ::close(log[0]);
    return ErrnoStatus(error, "start", command[0]);
  }
  std::unique_ptr<Child> child(new Child(pid, log[0]));
  AISLE_ASSIGN_OR_RETURN(child->port_, child->serving_.get_future().get());
  return child;
}

Child::~Child() {
  End(SIGTERM);
  reader_.join();
  ::close(log_);
}

void Child::Kill() { End(SIGKILL); }

void Child::End(int signal) {
  if (std::exchange(ended_, true)) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
}

// Reads to the end, so that the program never waits for a full pipe.
void Child::ReadLog() {
  std::string log;
  bool announced = false;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(log_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (announced) continue;
    log.append(buffer, static_cast<size_t>(got));
    if (const int port = PortIn(log); port != 0) {
      announced = true;
      serving_.set_value(port);
    }
  }
  if (!announced) serving_.set_value(Unavailable("the program ended before it served: {}", log));
}

}  // namespace aisle
