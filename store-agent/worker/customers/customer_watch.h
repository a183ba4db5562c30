// On whose rows the plan's program is about to run: said before it does, to whoever may have to end this process over
// it, and to be left out of the next attempt; see store-agent/supervisor/customer_attempts.h. Customers have the
// numbers they have in CustomerRows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "aisle/v1/worker.pb.h"
#include "store-agent/worker/customers/units.h"

namespace aisle {

// Not thread-safe.
class CustomerWatch {
 public:
  using Tell = std::function<void(const v1::Mark&)>;
  // `tell` may be empty.
  CustomerWatch(const v1::TrainTask& task, Tell tell);

  void BeginStep(uint32_t step) { step_ = step; }
  // At this step.
  bool IsLeftOut(size_t customer) const;

  void BeforeCustomer(size_t customer) const;
  void BeforeUnits(const Units& units, std::span<const size_t> some) const;
  bool IsAlone(const Units& units, size_t unit) const { return alone_.contains(units.customer(unit)); }
  // What follows is no customer's doing.
  void AfterAll() const;

 private:
  Tell tell_;
  std::map<size_t, uint32_t> left_out_;  // From which step on.
  std::set<size_t> alone_;
  uint32_t step_ = 0;
};

}  // namespace aisle
