// Starting a child with three pipes and nothing else of ours: no descriptor, no variable, no signal mask.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "base/storage/files.h"

namespace aisle {

struct Child {
  pid_t pid = -1;
  FileDescriptor input;   // Its stdin; ours are all non-blocking.
  FileDescriptor output;  // Its stdout.
  FileDescriptor errors;  // Its stderr.
};

// By posix_spawn, safe in a program with many threads. The child leads a process group of its own, so that Ctrl-C in a
// terminal reaches us and not it. NotFound or PermissionDenied naming the program; Unavailable if the system is short
// of processes or descriptors.
StatusOr<Child> Spawn(const std::string& program, const std::vector<std::string>& environment);

}  // namespace aisle
