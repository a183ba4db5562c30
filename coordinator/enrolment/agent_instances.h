// Two agents running at once with one identity (a cloned machine) are told apart by a number each draws when it starts.
//
// A restart moves from one instance to another and never back. So a call from an instance that was already replaced
// means that two are alive: the older one is refused, and headquarters sees why. Pure; memory is enough for it.
#pragma once

#include <array>
#include <cstdint>

#include "base/status.h"

namespace aisle {

class AgentInstances {
 public:
  // OK for the newest instance. FailedPrecondition with Reason::kDuplicateIdentity for one that a newer one replaced.
  // Zero, from agents that don't say, is always OK.
  Status Observe(uint64_t instance);

 private:
  static constexpr size_t kRemembered = 8;
  uint64_t current_ = 0;
  std::array<uint64_t, kRemembered> replaced_{};
  size_t next_ = 0;
};

}  // namespace aisle
