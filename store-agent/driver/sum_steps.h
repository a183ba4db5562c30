// The steps of the secure sum that need what only the store has: its cohort's secrets, its certificate's key, the
// vector. AgentDriver calls them on its working thread, one at a time; SiteSumSteps (sum/site_sum_steps.h) does them,
// and tests script them.
#pragma once

#include <optional>
#include <variant>

#include "base/secure_sum.h"
#include "base/status.h"
#include "store-agent/agent/effects.h"
#include "store-agent/driver/task_steps.h"

namespace aisle {

class SumSteps {
 public:
  virtual ~SumSteps() = default;

  // What to say at any step but Collect. What the cohort has come to is durable when it returns; asked again, it says
  // the same again.
  virtual std::variant<SumMessage, TaskEnd> Say(const agent::TakeSumStep& step) = 0;
  // The step Collect: the masked vector is durable in the spool when it returns, and asked again it is the same again.
  virtual std::variant<BlobName, TaskEnd> Mask(const agent::TakeSumStep& step) = 0;
  // The round's vector is gone, and with it all that was known of its cohorts.
  virtual Status Forget(const RoundId& round) = 0;
  virtual Status ForgetAllBut(const std::optional<RoundId>& round) = 0;
};

}  // namespace aisle
