// How much of a file the system keeps in memory.
#pragma once

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/storage/files.h"

namespace aisle {

// Bytes, in whole pages.
inline size_t ResidentBytesOf(const std::string& path) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const FileDescriptor file = OpenFile(path, O_RDONLY).value();
  const size_t size = FileSize(path).value();
  if (size == 0) return 0;
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  std::vector<unsigned char> pages((size + page - 1) / page);
  ::mincore(mapped, size, pages.data());
  ::munmap(mapped, size);
  return page * static_cast<size_t>(std::ranges::count_if(pages, [](unsigned char flags) { return (flags & 1) != 0; }));
}

// Whether files in this folder can lie on the disk only: not so where memory is all the disk there is.
inline bool CanLeaveMemory(const std::string& folder) {
  struct statfs info {};
  return ::statfs(folder.c_str(), &info) == 0 && info.f_type != TMPFS_MAGIC && info.f_type != RAMFS_MAGIC &&
         info.f_type != OVERLAYFS_SUPER_MAGIC;
}

}  // namespace aisle
