// What of a task is on the store's disk, so that `kill -9` at any instant continues it.
//
// The record is saved before the effects that follow from it. What each stage means after a restart:
//   Preparing   begin again at the plan; blobs that are cached stay, and the seed makes training the same
//   Releasing   a debit may have been written. If the finished vector is in the spool, go on with it. If not, the round
//               is reported failed: a debit is never refunded and never used for a second draw of noise
//   Finished    report it and hold it; what is sent is byte-identical. How far the secure sum of it came is on record
//               elsewhere, step by step (sum/cohort_file.h): a step that is asked for again gets the same answer
//   Uploaded    wait for the round to close; under the secure sum, for the steps before that
//   GivenUp     report the refusal or failure
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/fleet.h"
#include "base/secret.h"

namespace aisle::agent {

struct PreparingRecord {
  TrainInstruction task;
  SecretBytes seed;  // 32 bytes; everything random in training comes from it.
};
// A finished vector. Under the secure sum it never leaves as it is, and `sum` is what the store itself knows of the
// cohorts that it may be masked for; `attempt` there is the first.
struct HeldUpdate {
  RoundId round;
  BlobName update;                      // In the spool.
  std::optional<CohortTerms> sum = {};  // Nothing: the plan has no secure sum.
};
struct ReleasingRecord {
  RoundId round;
  std::optional<CohortTerms> sum = {};
};
struct FinishedRecord {
  HeldUpdate held;
};
struct UploadedRecord {
  HeldUpdate held;
};
struct GivenUpRecord {
  RoundId round;
  TaskOutcome outcome;  // Refused or Failed.
};
using TaskRecord = std::variant<PreparingRecord, ReleasingRecord, FinishedRecord, UploadedRecord, GivenUpRecord>;

const RoundId& RoundOf(const TaskRecord& record);

// Canonical bytes with their own SHA-256 at the end. They may hold the seed: keep them 0600.
SecretBytes EncodeRecord(const TaskRecord& record);
// DataLoss for bytes that EncodeRecord didn't make.
StatusOr<TaskRecord> DecodeRecord(std::string_view bytes);

}  // namespace aisle::agent
