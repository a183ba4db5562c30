// What the system keeps of files in memory. Gigabytes that pass through once shouldn't stay there: they push out what
// others read again, and on a virtual machine every page that was not in use lately is first asked of the host, which
// costs more than the disk does (docs/performance.md).
//
// All of these are hints: where a file system doesn't know them, nothing happens.
#pragma once

#include <cstdint>

namespace aisle {

// Starts writing these bytes to the disk, without waiting for it. Says nothing of durability: that is SyncData's.
void StartWriting(int fd, uint64_t offset, uint64_t size);

// Gives back the memory of what lies in this range and is on the disk; what isn't there yet stays. The system may keep
// in one piece what was written at once: such a piece goes only if the range holds all of it.
void DropFromMemory(int fd, uint64_t offset, uint64_t size);

// Pieces of a file whose offset and size are multiples of this may be written past memory.
inline constexpr uint64_t kDirectBlock = 4096;

// From now on (until told otherwise) writes through `fd` go past memory, straight from the caller's buffer: that, the
// offset and the size must be multiples of kDirectBlock, and reads likewise. False if the file system can't.
bool WriteDirectly(int fd, bool direct);

}  // namespace aisle
