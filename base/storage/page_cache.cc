#include "base/storage/page_cache.h"

#include <fcntl.h>

namespace aisle {

void StartWriting(int fd, uint64_t offset, uint64_t size) {
  static_cast<void>(
      ::sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(size), SYNC_FILE_RANGE_WRITE));
}

void DropFromMemory(int fd, uint64_t offset, uint64_t size) {
  static_cast<void>(::posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_DONTNEED));
}

bool WriteDirectly(int fd, bool direct) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return false;
  return ::fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

}  // namespace aisle
