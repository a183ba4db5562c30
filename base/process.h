// What our long-running programs do to their own process before anything else: stop signals and the allocator.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace aisle {

// SIGINT and SIGTERM, kept from interrupting anything: they wait until asked for. Block before the first thread starts,
// so that every thread inherits it. SIGPIPE is ignored from then on: a peer that hung up is an error code, not an end.
class StopSignals {
 public:
  static StopSignals Block();
  // True once one of them has come and nobody took it.
  bool pending() const;
  // Blocks until one comes, takes it, and says which.
  int Wait() const;

 private:
  StopSignals() = default;
  sigset_t signals_{};
};

// Raises the number of files and connections this program may hold open to what the system allows it; returns that.
// Systems start programs with a thousand, which is fewer than a chain has stores.
uint64_t RaiseOpenFilesLimit();

// How much memory malloc may keep to itself. Call first of all.
struct AllocatorLimits {
  int arenas = 1;          // Many arenas multiply what large transfers leave behind.
  int mmap_threshold = 0;  // Bytes. Blocks from this size on go back to the system when freed.
  int trim_threshold = 0;  // Bytes. So much at the heap's end is kept for the next one.
};
void LimitAllocator(const AllocatorLimits& limits);

}  // namespace aisle
