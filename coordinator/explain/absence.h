// Why a store of the chain isn't a candidate for a round. Pure.
#pragma once

#include <absl/time/time.h>

#include <vector>

#include "base/fleet.h"
#include "coordinator/catalog/records.h"
#include "coordinator/jobs/job_queue.h"

namespace aisle {

// What headquarters knows of a store at one moment.
struct StoreAtHand {
  StoreRecord record;
  const CheckIn* latest = nullptr;              // Its latest check-in since the coordinator started; null: none …
  absl::Time last_seen = absl::InfinitePast();  // … and when that was.
  bool busy = false;                            // It works for a round of another job.
};

// The first reason that keeps the store from serving `opening`, weightiest first. `heard_within`: a store whose latest
// check-in is older counts as silent.
Absence WhyAbsent(const StoreAtHand& store, const Opening& opening, absl::Duration heard_within, absl::Time now);

// Gathers absences of many stores; the rarest causes come last.
class AbsenceCount {
 public:
  void Add(Absence why, const StoreId& store);
  std::vector<AbsentStores> Take();

 private:
  std::vector<AbsentStores> counted_;
};

}  // namespace aisle
