// What of a task is on the store's disk, so that `kill -9` at any instant continues it.
//
// The record is saved before the effects that follow from it. What each stage means after a restart:
//   Preparing   begin again at the plan; blobs that are cached stay, and the seed makes training the same
//   Releasing   a debit may have been written. If the finished vector is in the spool, go on with it. If not, the round
//   is
//               reported failed: a debit is never refunded and never used for a second draw of noise
//   Finished    report it and hold it; what is sent is byte-identical
//   Uploaded    wait for the round to close
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
struct ReleasingRecord {
  RoundId round;
};
struct FinishedRecord {
  RoundId round;
  BlobName update;
};
struct UploadedRecord {
  RoundId round;
  BlobName update;
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
