// The sandbox tried by its own inmate: a forked child enters it, attempts one system call and tells how that ended.
#include "store-agent/worker/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

namespace aisle {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // Its runtime's own threads and calls are no business of the sandbox.
#else
constexpr bool kSanitized = false;
#endif

constexpr int kNoSandbox = 200;
constexpr int kAllowed = 201;

// What became of `attempt` (0 or an errno) in a sandboxed child: its exit code, or minus the signal that killed it.
int TryInside(const std::function<int()>& attempt) {
  const pid_t child = fork();
  if (child == 0) {
    if (!EnterSandbox(STDERR_FILENO + 1).ok()) _exit(kNoSandbox);
    const int error = attempt();
    _exit(error == 0 ? kAllowed : error);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int ErrorOf(long result) { return result < 0 ? errno : 0; }

struct Attempt {
  std::string name;
  std::function<int()> call;
  int expected;
};

class SandboxTest : public ::testing::TestWithParam<Attempt> {};

TEST_P(SandboxTest, Ends) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's runtime needs calls of its own";
  EXPECT_EQ(TryInside(GetParam().call), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    , SandboxTest,
    ::testing::Values(
        Attempt{"SocketTcp", [] { return ErrorOf(socket(AF_INET, SOCK_STREAM, 0)); }, EPERM},
        Attempt{"SocketUnix", [] { return ErrorOf(socket(AF_UNIX, SOCK_STREAM, 0)); }, EPERM},
        Attempt{"SocketNetlink", [] { return ErrorOf(socket(AF_NETLINK, SOCK_RAW, 0)); }, EPERM},
        Attempt{"ConnectOnAnyDescriptor",
                [] {
                  const sockaddr_in address{};
                  return ErrorOf(connect(0, reinterpret_cast<const sockaddr*>(&address), sizeof address));
                },
                EPERM},
        Attempt{"OpenForReading", [] { return ErrorOf(open("/etc/passwd", O_RDONLY)); }, EPERM},
        Attempt{"OpenForWriting", [] { return ErrorOf(open("/tmp/aisle-escape", O_WRONLY | O_CREAT, 0600)); }, EPERM},
        Attempt{"OpenTheOldWay", [] { return ErrorOf(syscall(SYS_open, "/etc/passwd", O_RDONLY)); }, EPERM},
        Attempt{"OpenTheNewWay", [] { return ErrorOf(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0)); },
                EPERM},
        Attempt{"Unlink", [] { return ErrorOf(unlink("/tmp/aisle-nothing")); }, EPERM},
        Attempt{"MakeFolder", [] { return ErrorOf(mkdir("/tmp/aisle-escape", 0700)); }, EPERM},
        Attempt{"Rename", [] { return ErrorOf(rename("/tmp/aisle-a", "/tmp/aisle-b")); }, EPERM},
        Attempt{"Stat",
                [] {
                  struct stat status {};
                  return ErrorOf(stat("/etc/passwd", &status));
                },
                EPERM},
        Attempt{"RaiseALimit",
                [] {
                  const rlimit limit{1 << 20, 1 << 20};
                  return ErrorOf(setrlimit(RLIMIT_FSIZE, &limit));
                },
                EPERM},
        Attempt{
            "ShareMemory",
            [] { return mmap(nullptr, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0; },
            EPERM},
        Attempt{"SignalTheParent", [] { return ErrorOf(kill(getppid(), 0)); }, EPERM},
        Attempt{"Duplicate", [] { return ErrorOf(dup(0)); }, EPERM},
        Attempt{"Fork", [] { return ErrorOf(syscall(SYS_fork)); }, -SIGSYS},
        Attempt{"NewProcessByClone", [] { return ErrorOf(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0)); },
                EPERM},
        Attempt{"Execute",
                [] {
                  char* const none[] = {nullptr};
                  return ErrorOf(execve("/bin/true", none, none));
                },
                -SIGSYS},
        Attempt{"Trace", [] { return ErrorOf(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }, -SIGSYS},
        Attempt{"IoUring", [] { return ErrorOf(syscall(SYS_io_uring_setup, 1, nullptr)); }, -SIGSYS},
        Attempt{"MemoryFile", [] { return ErrorOf(syscall(SYS_memfd_create, "x", 0)); }, -SIGSYS},
        Attempt{"UserNamespace", [] { return ErrorOf(syscall(SYS_unshare, 0x10000000)); }, -SIGSYS},
        Attempt{"WriteToItsPipe", [] { return ErrorOf(write(STDERR_FILENO, "", 0)); }, kAllowed},
        Attempt{"Compute",
                [] {
                  std::string memory(64 << 20, 'x');
                  return memory[12345] == 'x' ? 0 : EINVAL;
                },
                kAllowed},
        Attempt{"StartAThread",
                [] {
                  int seen = 0;
                  std::thread([&seen] { seen = 1; }).join();
                  return seen == 1 ? 0 : EINVAL;
                },
                kAllowed}),
    [](const auto& test) { return test.param.name; });

TEST(SandboxDescriptorTest, DescriptorsFromBeforeAreClosed) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's runtime needs calls of its own";
  const int open_before = open("/dev/null", O_RDONLY);
  ASSERT_GT(open_before, STDERR_FILENO);
  EXPECT_EQ(TryInside([open_before] {
              char byte = 0;
              return ErrorOf(read(open_before, &byte, 1));
            }),
            EBADF);
  close(open_before);
}

}  // namespace
}  // namespace aisle
