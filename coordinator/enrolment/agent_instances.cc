#include "coordinator/enrolment/agent_instances.h"

#include <algorithm>

#include "base/cover.h"
#include "base/reason.h"

namespace aisle {

Status AgentInstances::Observe(uint64_t instance) {
  if (instance == 0 || instance == current_) return OkStatus();
  if (std::ranges::find(replaced_, instance) != replaced_.end()) {
    AISLE_COVER("enrolment.two_instances");
    return WithReason(
        FailedPrecondition("another agent with this store's identity has started since: two boxes share it. Stop one, "
                           "and enrol it anew if it is a store of its own"),
        Reason::kDuplicateIdentity);
  }
  replaced_[next_] = current_;
  next_ = (next_ + 1) % kRemembered;
  current_ = instance;
  return OkStatus();
}

}  // namespace aisle
