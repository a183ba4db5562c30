// What Prometheus sees of the coordinator. Names are aisle_coordinator_<thing>_<unit>; labels come from closed enums
// only: no job, round or store ever becomes a label. docs/operations.md says what each one is for.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/fleet.h"
#include "coordinator/round/phase.h"

namespace prometheus {
class Registry;
}

namespace aisle {

// Thread-safe.
class CoordinatorMetrics {
 public:
  explicit CoordinatorMetrics(std::shared_ptr<prometheus::Registry> registry);
  ~CoordinatorMetrics();

  void CheckedIn();
  void CallerRefused();
  void SetWaiting(size_t stores);
  void SetActiveJobs(size_t jobs);
  void OutcomeReported(const TaskOutcome& outcome);
  void Uploaded(uint64_t bytes);
  void Downloaded(uint64_t bytes);
  void PhaseEnded(PhaseName phase, absl::Duration took);
  void RoundClosed(const Phase& phase, absl::Duration took);  // Committed or Aborted.
  void WriteLost();

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace aisle
