// Which disk a path or a descriptor belongs to, in this process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/faulty-disk/journal.h"

namespace aisle::faulty_disk {

struct WatchedDisk {
  WatchedDisk(std::vector<std::string> folders_watched, const std::string& journal_folder);

  std::vector<std::string> folders;  // Absolute, without a slash at the end; as named and with symbolic links resolved.
  Journal journal;
};

using DiskHandle = std::shared_ptr<WatchedDisk>;

// From now on calls on what lies below its folders are this disk's.
void Watch(const DiskHandle& disk);
void Unwatch(const DiskHandle& disk);

// Null where no disk is concerned, and for what the faulty disk does itself (see Bypass).
DiskHandle DiskOfPath(const std::string& absolute_path);
DiskHandle DiskOfDescriptor(int fd);
// What a descriptor's number stands for has changed.
void NoteDescriptor(int fd, const DiskHandle& disk);
void ForgetDescriptor(int fd);

// `path` as the call at hand means it, in full; empty if it can't be found out. Doesn't resolve symbolic links.
std::string AbsolutePath(int folder, const char* path);
// Of a descriptor, from /proc.
std::string PathOfDescriptor(int fd);

// While one lives in this thread, calls go straight to the system.
class Bypass {
 public:
  Bypass();
  ~Bypass();
  Bypass(const Bypass&) = delete;
  Bypass& operator=(const Bypass&) = delete;
};
bool Bypassed();
// Whether this process watches any disk: the first thing that every call asks.
bool AnyWatched();

}  // namespace aisle::faulty_disk
