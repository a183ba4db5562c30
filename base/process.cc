#include "base/process.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

namespace aisle {

StopSignals StopSignals::Block() {
  StopSignals stop;
  sigemptyset(&stop.signals_);
  sigaddset(&stop.signals_, SIGINT);
  sigaddset(&stop.signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop.signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return stop;
}

bool StopSignals::pending() const {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) != 0 || sigismember(&pending, SIGTERM) != 0;
}

int StopSignals::Wait() const {
  int signal = 0;
  sigwait(&signals_, &signal);
  return signal;
}

uint64_t RaiseOpenFilesLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void LimitAllocator(const AllocatorLimits& limits) {
  mallopt(M_ARENA_MAX, limits.arenas);
  mallopt(M_MMAP_THRESHOLD, limits.mmap_threshold);
  mallopt(M_TRIM_THRESHOLD, limits.trim_threshold);
}

}  // namespace aisle
