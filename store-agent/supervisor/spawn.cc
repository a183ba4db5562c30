#include "store-agent/supervisor/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace aisle {

namespace {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "make", "a pipe for the worker");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// posix_spawn's two settings objects, freed at the end.
struct SpawnSettings {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  SpawnSettings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void Connect(int ours, int theirs) { posix_spawn_file_actions_adddup2(&files, ours, theirs); }
  // Own group, no blocked signals, default handlers, no descriptor but 0, 1 and 2.
  void StartClean() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  }
};

void MakeNonBlocking(const FileDescriptor& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // As execve wants them.
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

StatusOr<Child> Spawn(const std::string& program, const std::vector<std::string>& environment) {
  AISLE_ASSIGN_OR_RETURN(Pipe input, MakePipe());
  AISLE_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  AISLE_ASSIGN_OR_RETURN(Pipe errors, MakePipe());
  SpawnSettings settings;
  settings.Connect(input.read.get(), STDIN_FILENO);
  settings.Connect(output.write.get(), STDOUT_FILENO);
  settings.Connect(errors.write.get(), STDERR_FILENO);
  settings.StartClean();
  Child child{
      .pid = -1, .input = std::move(input.write), .output = std::move(output.read), .errors = std::move(errors.read)};
  const int error = posix_spawn(&child.pid, program.c_str(), &settings.files, &settings.attributes,
                                Pointers({program}).data(), Pointers(environment).data());
  if (error != 0) return ErrnoStatus(error, "start", program);
  MakeNonBlocking(child.input);
  MakeNonBlocking(child.output);
  MakeNonBlocking(child.errors);
  return child;
}

}  // namespace aisle
