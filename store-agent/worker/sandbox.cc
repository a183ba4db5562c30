#include "store-agent/worker/sandbox.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace aisle {

namespace {

// What numerical code, malloc, OpenMP and our frames need; with conditions below: mmap, clone, prlimit64, tgkill,
// ioctl.
constexpr auto kAllowed = std::to_array<std::string_view>({
    "read",
    "readv",
    "write",
    "writev",
    "poll",
    "ppoll",
    "close",
    "fstat",
    "brk",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mincore",
    "futex",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "membarrier",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "gettid",
    "getpid",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "exit",
    "exit_group",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "times",
    "getrusage",
    "getrandom",
    "sysinfo",
    "uname",
    "set_tid_address",
    "get_mempolicy",
    "arch_prctl",
});

// No honest computation tries these.
constexpr auto kKilled = std::to_array<std::string_view>({
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "fork",
    "vfork",
    "bpf",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "reboot",
    "swapon",
    "swapoff",
    "pidfd_open",
    "pidfd_getfd",
    "process_madvise",
    "name_to_handle_at",
    "open_by_handle_at",
    "memfd_create",
    "memfd_secret",
    "acct",
    "quotactl",
    "iopl",
    "ioperm",
    "settimeofday",
    "clock_settime",
    "setuid",
    "setgid",
    "setreuid",
    "setresuid",
    "capset",
});

Status Failed(std::string_view layer, int error) {
  return FailedPrecondition("the kernel refused the worker's sandbox at {}: {}", layer, std::strerror(error));
}

Status SetLimit(__rlimit_resource resource, rlim_t value, std::string_view name) {
  const rlimit limit{value, value};
  return setrlimit(resource, &limit) == 0 ? OkStatus() : Failed(name, errno);
}

Status LowerLimits() {
  AISLE_RETURN_IF_ERROR(SetLimit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"));
  AISLE_RETURN_IF_ERROR(SetLimit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  AISLE_RETURN_IF_ERROR(SetLimit(RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK"));
  return SetLimit(RLIMIT_NOFILE, 8, "RLIMIT_NOFILE");  // poll() wants it no smaller than the descriptors it is given.
}

// The kernel's landlock.h, of which Debian 12's headers know only the first two versions.
struct LandlockRules {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

// Rights that each version of Landlock knows: file rights are bits from 0 up.
LandlockRules RulesFor(int abi) {
  constexpr std::array<int, 6> kFileRights = {0, 13, 14, 15, 15, 16};
  const size_t known = static_cast<size_t>(std::min(abi, 5));
  return {.handled_access_fs = (uint64_t{1} << kFileRights[known]) - 1,
          .handled_access_net = abi >= 4 ? uint64_t{3} : 0,
          .scoped = abi >= 6 ? uint64_t{3} : 0};
}

size_t RulesSizeFor(int abi) { return abi >= 6 ? 24 : abi >= 4 ? 16 : 8; }

// Handles every right and grants none. Returns the version in force; 0 where the kernel has no Landlock.
StatusOr<int> ApplyLandlock() {
  constexpr int kAskVersion = 1;
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (abi < 1) return 0;
  const LandlockRules rules = RulesFor(static_cast<int>(abi));
  const long ruleset = syscall(SYS_landlock_create_ruleset, &rules, RulesSizeFor(static_cast<int>(abi)), 0);
  if (ruleset < 0) return 0;
  const long locked = syscall(SYS_landlock_restrict_self, ruleset, 0);
  const int error = errno;
  close(static_cast<int>(ruleset));
  if (locked != 0) return Failed("Landlock", error);
  return static_cast<int>(abi);
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  // Names that this machine's kernel headers don't know are skipped: the default answer covers them.
  void Add(uint32_t action, std::string_view name) {
    const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
    if (number >= 0) Note(seccomp_rule_add_array(context_, action, number, 0, nullptr));
  }
  void AddIf(uint32_t action, int number, const scmp_arg_cmp& condition) {
    Note(seccomp_rule_add_array(context_, action, number, 1, &condition));
  }
  Status Load() {
    Note(seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1));  // All threads, those of OpenMP too.
    Note(seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    if (error_ == 0) Note(seccomp_load(context_));
    return error_ == 0 ? OkStatus() : Failed("seccomp", error_);
  }

 private:
  void Note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }
  scmp_filter_ctx context_;
  int error_ = 0;
};

Status ApplyFilter() {
  Filter filter;
  for (const std::string_view name : kAllowed) filter.Add(SCMP_ACT_ALLOW, name);
  for (const std::string_view name : kKilled) filter.Add(SCMP_ACT_KILL_PROCESS, name);
  // Private memory only: what is shared would escape the memory cap. Threads of this process only, never a process;
  // glibc falls back from clone3, whose flags a filter can't see, to clone.
  filter.AddIf(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
  filter.AddIf(SCMP_ACT_ALLOW, SCMP_SYS(clone),
               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
  filter.Add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  filter.AddIf(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));  // Reading limits, not setting them.
  filter.AddIf(SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
               SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));  // abort().
  return filter.Load();
}

}  // namespace

StatusOr<SandboxReport> EnterSandbox(int first_closed_fd) {
  SandboxReport report;
  if (close_range(static_cast<unsigned>(first_closed_fd), ~0U, 0) != 0) return Failed("close_range", errno);
  AISLE_RETURN_IF_ERROR(LowerLimits());
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return Failed("PR_SET_DUMPABLE", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("no_new_privs", errno);
  AISLE_ASSIGN_OR_RETURN(report.landlock_abi, ApplyLandlock());
  report.landlock = report.landlock_abi > 0;
  AISLE_RETURN_IF_ERROR(ApplyFilter());
  return report;
}

}  // namespace aisle
