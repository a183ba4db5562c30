// What can happen to an agent, as past participles. Answers carry the ticket of the effect that asked; an answer to a
// question that is no longer open is ignored.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/fleet.h"

namespace aisle::agent {

using Ticket = uint64_t;

// What a call to headquarters came to. The adapter reads it off the status and its ErrorDetail.
enum class Verdict {
  kDone,
  kTryAgain,    // Not reachable, too busy, cut off: the same call may succeed later.
  kStartOver,   // What headquarters holds of this transfer is not ours: send all of it again.
  kRoundOver,   // The round is closed or unknown there, or this store isn't in it.
  kImpossible,  // Trying again won't help.
};
struct CallOutcome {
  Verdict verdict = Verdict::kDone;
  std::string detail;         // For people; empty when done.
  absl::Duration wait_min{};  // Headquarters asked for at least this much peace.
  bool progressed = false;    // Some of a transfer got through.
};

// The open check-in was answered, or failed.
struct CheckInAnswered {
  Ticket ticket = 0;
  Instruction instruction;
  absl::Time headquarters_clock;  // When it answered, by its own clock.
};
struct CheckInFailed {
  Ticket ticket = 0;
  CallOutcome outcome;
};

// Steps of a task.
struct BlobFetched {
  Ticket ticket = 0;
  CallOutcome outcome;  // kDone: the whole blob is in the cache and is what its name says.
};
struct PlanVetted {  // Signed, understood, allowed and within budget.
  Ticket ticket = 0;
};
struct UpdateTrained {  // A clean vector is in memory.
  Ticket ticket = 0;
  std::optional<CohortTerms> sum = {};  // How it is to be summed; nothing where the plan has no secure sum.
};
struct UpdateReleased {  // Debited, noised, and durable in the spool.
  Ticket ticket = 0;
  BlobName update;
};
struct TaskRefused {  // The site won't: at vetting, before a download, or at the ledger.
  Ticket ticket = 0;
  Refused refused;
};
struct TaskFailed {  // The site would, but couldn't.
  Ticket ticket = 0;
  Failed failed;
};
struct OutcomeReported {
  Ticket ticket = 0;
  CallOutcome outcome;
};
struct UpdateUploaded {
  Ticket ticket = 0;
  CallOutcome outcome;  // kDone: headquarters has verified and accepted all of it.
};

// Steps of the secure sum. A store's refusal is TaskRefused.
struct SumStepTaken {
  Ticket ticket = 0;
  CallOutcome outcome;  // kDone: headquarters has what the store said.
};
struct UpdateMasked {  // The masked vector is in the spool, beside the other.
  Ticket ticket = 0;
  BlobName masked;
};

// A timer that the machine set has run out.
enum class Timer { kConversation, kTask };
struct TimerRanOut {
  Timer timer = Timer::kConversation;
};

// Rows came in, the policy changed, its hours opened or closed: what the last check-in said may no longer hold.
struct SiteChanged {};

using Event =
    std::variant<CheckInAnswered, CheckInFailed, BlobFetched, PlanVetted, UpdateTrained, UpdateReleased, TaskRefused,
                 TaskFailed, OutcomeReported, UpdateUploaded, SumStepTaken, UpdateMasked, TimerRanOut, SiteChanged>;

}  // namespace aisle::agent
