// Joining the chain at the first start, however long headquarters takes to answer.
#pragma once

#include <functional>
#include <string>

#include "base/random.h"
#include "store-agent/enrol/membership.h"

namespace aisle {

struct JoinOrder {
  std::string folder;       // The agent's identity.
  std::string invitation;   // The enrolment file.
  std::string coordinator;  // Instead of the invitation's address, unless empty.
};

// As TakeUpMembership, and tries again with back-off while headquarters can't be reached. Cancelled soon after
// `stopping` says so.
StatusOr<Membership> JoinPatiently(const JoinOrder& order, RandomSource& random, const std::function<bool()>& stopping);

}  // namespace aisle
