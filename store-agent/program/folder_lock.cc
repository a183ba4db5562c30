#include "store-agent/program/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace aisle {

StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  const std::string path = folder + "/lock";
  AISLE_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "can't lock", path);
    return FailedPrecondition("another aisle-agent works in {}; a store's folder belongs to one agent", folder);
  }
  return FolderLock(std::move(file));
}

}  // namespace aisle
