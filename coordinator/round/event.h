// What has happened to a round: each event is in the journal before anything is done about it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "coordinator/round/phase.h"
#include "coordinator/round/policy.h"

namespace aisle {

struct StoreOffered {  // A willing store checked in and the job queue gave it to this round.
  StoreId store;
  Candidate candidate;
  bool operator==(const StoreOffered&) const = default;
};
struct OutcomeReported {  // A store trained, refused or failed.
  StoreId store;
  TaskOutcome outcome;
  bool operator==(const OutcomeReported&) const = default;
};
struct UpdateCollected {  // The whole vector is in the spool: verified and durable.
  StoreId store;
  Digest digest;
  bool operator==(const UpdateCollected&) const = default;
};
struct SumStepTaken {  // A store took a step of the secure sum. What it signed has been verified.
  StoreId store;
  SumReport report;
  bool operator==(const SumStepTaken&) const = default;
};
struct DeadlinePassed {
  PhaseName phase = PhaseName::kSelecting;  // Of this phase; stale if the round has moved on.
  bool operator==(const DeadlinePassed&) const = default;
};
struct ModelPublished {  // In the same write as the model itself.
  uint64_t model_version = 0;
  bool operator==(const ModelPublished&) const = default;
};
struct CommitFailed {  // The sum couldn't be turned into a model, and trying again won't help.
  std::string explanation;
  std::vector<StoreId> at_fault = {};  // Stores that dealt shares of no secret: their own signatures prove it.
  bool operator==(const CommitFailed&) const = default;
};
struct RoundCancelled {
  std::string reason;
  bool operator==(const RoundCancelled&) const = default;
};

using Event = std::variant<StoreOffered, OutcomeReported, UpdateCollected, SumStepTaken, DeadlinePassed, ModelPublished,
                           CommitFailed, RoundCancelled>;

}  // namespace aisle
