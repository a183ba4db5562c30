// What a failed call means to the agent: read off the status' reason, or else its code.
#pragma once

#include "base/status.h"
#include "store-agent/agent/events.h"

namespace aisle {

agent::CallOutcome OutcomeOf(const Status& status);

}  // namespace aisle
