// A chain of stores and its headquarters, simulated: the real coordinator and the real agents on one thread, in virtual
// time, from one seed. The same scenario and seed give the same world, event by event.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/digest.h"
#include "base/random.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/entropy.h"
#include "tests/simulation/machines.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/timeline.h"

namespace aisle::simulation {

// What became of a world.
struct Outcome {
  std::vector<std::string> failures;  // What a check said, with its name and the time; empty: all is well.
  uint32_t rounds_committed = 0;
  uint32_t rounds_aborted = 0;
  uint64_t store_rounds = 0;        // Updates in committed sums.
  uint64_t store_rounds_begun = 0;  // Stores selected, of all rounds.
  uint64_t events = 0;
  uint64_t messages = 0;
  uint64_t faults = 0;
  absl::Duration virtual_time;
  Digest trace;  // Of all events: two runs of one world agree in it.
};

class World {
 public:
  // One world at a time: the process's entropy and file calls are its own while it lives.
  World(const Scenario& scenario, uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // To the scenario's end, the job's, or the first failure.
  Outcome Run();

  // ---- For machines, faults and checks.
  const Scenario& scenario() const { return scenario_; }
  Timeline& timeline() { return timeline_; }
  Network& network() { return *network_; }
  HeadquartersMachine& headquarters() { return *headquarters_; }
  const std::vector<std::unique_ptr<StoreMachine>>& stores() const { return stores_; }
  StoreMachine& store(const StoreId& id);
  Machine* MachineWith(const Disk* disk);  // Null if none has it.
  absl::Duration SinceStart() const { return timeline_.Now() - start_; }
  // A stream of its own for each purpose and each time it is asked for.
  std::unique_ptr<RandomSource> RandomFor(std::string_view purpose);
  RandomSource& random() { return *random_; }  // For faults.
  absl::Duration Draw(absl::Duration from, absl::Duration to);
  absl::Duration DrawAbout(absl::Duration mean);

  void Later(absl::Duration wait, std::function<void()> task) { timeline_.After(wait, std::move(task)); }
  // Runs after the event in hand, before anything else does: what mustn't happen within it, such as a death.
  void AfterThis(std::function<void()> task) { after_.push_back(std::move(task)); }
  void AtFaultsEnd(std::function<void()> mend) { mends_.push_back(std::move(mend)); }
  bool faults_over() const { return faults_over_; }

  // A check has failed. The world ends after the event in hand.
  void Fail(std::string_view check, std::string what);
  // Goes into the trace, and to the log at level debug.
  void Note(std::string_view what);
  void ForChecks(const std::function<void(Check&)>& tell);

 private:
  void Build();
  void ComeAgain(const FaultScript& script);
  void Occur(const FaultScript& script);
  Machine& Victim(const FaultScript& script);
  void EndFaults();
  JobRecord Job() const;
  bool finished();
  void CheckExpectations();
  void Trace(std::string_view what, uint64_t number);

  const Scenario scenario_;
  const uint64_t seed_;
  std::unique_ptr<SeededEntropy> entropy_;
  const absl::Time start_;
  Timeline timeline_;
  std::map<std::string, uint64_t> purposes_;
  std::unique_ptr<RandomSource> random_;
  std::unique_ptr<RandomSource> network_random_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<HeadquartersMachine> headquarters_;
  std::vector<std::unique_ptr<StoreMachine>> stores_;
  std::vector<std::unique_ptr<Check>> checks_;
  std::vector<std::function<void()>> after_;
  std::vector<std::function<void()>> mends_;
  bool faults_over_ = false;
  uint64_t commits_seen_ = 0;
  Outcome outcome_;
  Sha256 trace_;
};

}  // namespace aisle::simulation
