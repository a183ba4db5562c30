// The stores of a load test, all in this process.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/executor.h"
#include "base/identity/tls_identity.h"
#include "base/status.h"
#include "bench/load/simulated_store.h"

namespace aisle {

class LoadFleet {
 public:
  // Connects nobody yet.
  static StatusOr<std::unique_ptr<LoadFleet>> Make(const std::string& address,
                                                   const std::vector<TlsIdentity>& identities,
                                                   const TrivialUpdate& update, absl::Duration training);
  // The coordinator must be gone, or answer: calls in flight are waited for.
  ~LoadFleet();
  LoadFleet(const LoadFleet&) = delete;
  LoadFleet& operator=(const LoadFleet&) = delete;

  // Lets every store that doesn't yet check in begin to, evenly over `duration`. Returns at once.
  void StartOver(absl::Duration duration);
  void Park() { world_.pace = Pace::kParked; }
  void GoOn() { world_.pace = Pace::kAsTold; }
  // The coordinator is about to go; or is back.
  void SetAway(bool away) { world_.away = away; }
  // No store asks or tries again from now on.
  void End() { world_.pace = Pace::kEnding; }

  // How long until all stores had an answer to a check-in that came after this was called; Unavailable, saying how many
  // hadn't, after `limit`.
  StatusOr<std::chrono::duration<double>> AwaitAllAnswered(std::chrono::seconds limit);
  // Check-ins that aren't held, by one store after another, `at_once` of them at any time, each of the lines pausing
  // for `pause` between two. With `idle_only` no store that is at something else is disturbed.
  struct Probing {
    size_t at_once = 1;
    absl::Duration pause = absl::ZeroDuration();
    bool idle_only = false;
    std::chrono::duration<double> duration{1};
  };
  void Probe(const Probing& probing);

  size_t size() const { return stores_.size(); }
  Tally& tally() { return tally_; }

 private:
  LoadFleet(const std::string& address, const TrivialUpdate& update, absl::Duration training);
  void ProbeNext(const Probing& probing, Tally::Clock::time_point end, size_t from, std::atomic<size_t>& lines);

  Tally tally_;
  ThreadExecutor timers_{"timers"};
  StoreWorld world_;
  std::vector<std::unique_ptr<SimulatedStore>> stores_;
};

}  // namespace aisle
