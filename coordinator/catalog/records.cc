#include "coordinator/catalog/records.h"

namespace aisle {

std::string_view NameOf(StoreState state) {
  switch (state) {
    case StoreState::kInvited:
      return "invited";
    case StoreState::kEnrolled:
      return "enrolled";
    case StoreState::kRevoked:
      return "revoked";
  }
  return "unknown";
}

std::string_view NameOf(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kFinished:
      return "finished";
    case JobState::kCancelled:
      return "cancelled";
    case JobState::kFailed:
      return "failed";
  }
  return "unknown";
}

std::string_view NameOf(RoundPhase phase) {
  switch (phase) {
    case RoundPhase::kSelecting:
      return "selecting";
    case RoundPhase::kTraining:
      return "training";
    case RoundPhase::kCollecting:
      return "collecting";
    case RoundPhase::kCommitting:
      return "committing";
    case RoundPhase::kCommitted:
      return "committed";
    case RoundPhase::kAborted:
      return "aborted";
    case RoundPhase::kAdvertising:
      return "advertising";
    case RoundPhase::kSharing:
      return "sharing";
    case RoundPhase::kConfirming:
      return "confirming";
    case RoundPhase::kUnmasking:
      return "unmasking";
  }
  return "unknown";
}

std::string_view NameOf(StoreOutcome outcome) {
  switch (outcome) {
    case StoreOutcome::kSelected:
      return "selected";
    case StoreOutcome::kTrained:
      return "trained";
    case StoreOutcome::kCollected:
      return "collected";
    case StoreOutcome::kRefused:
      return "refused";
    case StoreOutcome::kFailed:
      return "failed";
    case StoreOutcome::kSilent:
      return "silent";
  }
  return "unknown";
}

}  // namespace aisle
