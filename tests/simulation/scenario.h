// What a simulated world is like, what goes wrong in it and what must come out all the same: a TOML file under
// scenarios/.
//
//   description = "…"
//   stores = 5
//   duration = "4h"               # Of virtual time.
//   [plan]
//   secure_sum = true
//   rounds = 10                   # Of the job; also cohort_min, cohort_target, over_selection, parameters, server,
//                                 # selecting, training, collecting, summing (deadlines), noise_multiplier, floor_cap
//   [training]
//   takes_min = "1s"              # Of virtual time, per round and store.
//   takes_max = "20s"
//   fails = 0.0                   # Chance.
//   [network]                     # While faults last; afterwards only the delays.
//   delay_min = "5ms"
//   delay_max = "200ms"
//   loss = 0.01                   # Chance of a message, either way.
//   duplicate = 0.01              # Chance that a request comes a second time, later.
//   cut = 0.1                     # Chance of a stream, at any byte.
//   [[fault]]
//   kind = "kill"                 # See faults.h.
//   who = "store"                 # "store": one that is drawn each time; "store-002": that one; "coordinator".
//   every = "10m"                 # On average.
//   lasts = "30s"                 # Kinds that last: so long on average …
//   exact = false                 # … or exactly.
//   from = "0s"                   # Since the start; until the faults end.
//   [expect]
//   faults_end = "3h"             # From then on nothing goes wrong any more …
//   commits_within = "20m"        # … and so long after it a round has committed.
//   rounds_min = 5                # Committed in all.
//   aborted_max = 0               # Rounds aborted in all.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tests/simulation/network.h"

namespace aisle::simulation {

struct PlanScript {
  bool secure_sum = false;
  uint32_t rounds = 10;
  uint32_t cohort_min = 2;
  uint32_t cohort_target = 3;
  double over_selection = 1;
  uint32_t parameters = 2;
  std::string server = "optimizer = \"fedavg\"";
  absl::Duration selecting = absl::Seconds(30);
  absl::Duration training = absl::Minutes(10);
  absl::Duration collecting = absl::Minutes(2);
  absl::Duration summing = absl::Seconds(30);
  double noise_multiplier = 1;
  double floor_cap = 1000;  // Of the site policies, per year and for ever.
};

struct TrainingScript {
  absl::Duration takes_min = absl::Seconds(1);
  absl::Duration takes_max = absl::Seconds(20);
  double fails = 0;
};

struct FaultScript {
  std::string kind;
  std::string who = "store";
  absl::Duration every = absl::Minutes(10);
  absl::Duration lasts = absl::Seconds(30);
  bool exact = false;
  absl::Duration from;
  double amount = 0;  // What the kind makes of it.
};

struct Expectations {
  absl::Duration faults_end = absl::InfiniteDuration();
  absl::Duration commits_within = absl::InfiniteDuration();
  uint32_t rounds_min = 1;
  uint32_t aborted_max = UINT32_MAX;
};

struct Scenario {
  std::string name;  // The file's, without ending.
  std::string description;
  uint32_t stores = 5;
  absl::Duration duration = absl::Hours(1);
  PlanScript plan;
  TrainingScript training;
  LinkConditions network;
  std::vector<FaultScript> faults;
  Expectations expect;

  // InvalidArgument with every mistake and its line; unknown keys and kinds of faults are mistakes.
  static StatusOr<Scenario> Parse(std::string_view toml, std::string_view name);
  static StatusOr<Scenario> Load(const std::string& path);
};

}  // namespace aisle::simulation
