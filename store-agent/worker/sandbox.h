// The walls around a running plan, held by the kernel: no network, no files, no other programs.
//
// Four layers, each enough for most of it: resource limits (no file may grow, no core dump, no new descriptors),
// Landlock where the kernel has it (no path is reachable), no_new_privs, and a seccomp filter. The filter lets through
// what computing needs (memory, clocks, threads, the two pipes), answers anything else with EPERM, so that a plan gets
// an error and the task its reason, and kills the process for what only an attack would try (execve, ptrace, io_uring,
// ...).
#pragma once

#include "base/status.h"

namespace aisle {

struct SandboxReport {
  bool landlock = false;  // The kernel has it.
  int landlock_abi = 0;
};

// Closes every descriptor from `first_closed_fd` up, then locks this process, all its threads, in for good. Call once
// what reads files lazily has been used once. FailedPrecondition if the kernel refuses a layer other than Landlock: the
// caller must then not go on to anything it doesn't trust.
StatusOr<SandboxReport> EnterSandbox(int first_closed_fd);

}  // namespace aisle
