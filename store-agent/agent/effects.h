// What an agent must now do, as verbs, in order. The driver carries them out; when one can't be begun (SaveRecord on a
// full disk), those behind it wait.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "store-agent/agent/events.h"
#include "store-agent/agent/task_record.h"

namespace aisle::agent {

// Make the record durable before anything after it happens; nullopt: there is no task.
struct SaveRecord {
  std::optional<TaskRecord> record;
};

// Ask headquarters; answered by CheckInAnswered or CheckInFailed. At most one is open. The driver adds what only it
// knows: tables, willingness, the clock.
struct OpenCheckIn {
  Ticket ticket = 0;
  StoreStanding standing = StoreStanding::kIdle;
  std::optional<RoundId> round;
  std::vector<Digest> declined_plans;
};
struct CloseCheckIn {};  // Drop the open one; no answer need come.

// Set anew, or move, that timer.
struct SetTimer {
  Timer timer = Timer::kConversation;
  absl::Time due;
};
struct ClearTimer {
  Timer timer = Timer::kConversation;
};

// One step of the task at a time; each is answered by its event, TaskRefused or TaskFailed.
struct FetchBlob {
  Ticket ticket = 0;
  BlobName blob;
};
struct VetPlan {
  Ticket ticket = 0;
  TrainInstruction task;
};
struct TrainUpdate {
  Ticket ticket = 0;
  TrainInstruction task;
  SecretBytes seed;
  absl::Time deadline;  // By the store's own clock.
};
// Check the norm, debit the ledger durably, only then add noise, and spool.
struct ReleaseUpdate {
  Ticket ticket = 0;
  TrainInstruction task;
};
struct ReportOutcome {
  Ticket ticket = 0;
  RoundId round;
  TaskOutcome outcome;
};
struct UploadUpdate {
  Ticket ticket = 0;
  RoundId round;
  BlobName update;
  bool masked = false;  // The masked vector, not the one that was finished.
  bool resume = false;  // Ask first how much is already there.
};
// Work out one step of the secure sum, make durable what the cohort has come to, and only then say it. Answered by
// SumStepTaken; the step Collect says nothing yet and is answered by UpdateMasked. Taken again it says the same again.
using SumInstruction =
    std::variant<AdvertiseInstruction, ShareInstruction, CollectInstruction, ConfirmInstruction, UnmaskInstruction>;
struct TakeSumStep {
  Ticket ticket = 0;
  CohortTerms terms;  // The store's own, for the attempt that headquarters names.
  BlobName update;    // What is to be masked, in the spool.
  SumInstruction instruction;
};
struct StopTask {};  // Stop the step in hand: kill the worker, cut the transfer. Its answer no longer matters.

struct DropSpool {
  RoundId round;
};

// For logs and counters only.
enum class RoundResult { kCommitted, kAborted, kLeftOut, kRefused, kFailed };
inline constexpr int kRoundResultCount = 5;
std::string_view NameOf(RoundResult result);  // "left_out".
struct TellRoundBegun {
  RoundId round;
};
struct TellRoundEnded {
  RoundId round;
  RoundResult result = RoundResult::kAborted;
  std::optional<RefusalReason> refusal;
  std::string detail;
};

using Effect = std::variant<SaveRecord, OpenCheckIn, CloseCheckIn, SetTimer, ClearTimer, FetchBlob, VetPlan,
                            TrainUpdate, ReleaseUpdate, ReportOutcome, UploadUpdate, TakeSumStep, StopTask, DropSpool,
                            TellRoundBegun, TellRoundEnded>;
using Effects = std::vector<Effect>;

}  // namespace aisle::agent
