// One agent per data folder.
#pragma once

#include <string>

#include "base/storage/files.h"

namespace aisle {

// Held as long as it lives, and let go by the kernel if the process dies.
class FolderLock {
 public:
  // Makes the folder. FailedPrecondition if another process holds it.
  static StatusOr<FolderLock> Take(const std::string& folder);

 private:
  explicit FolderLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace aisle
