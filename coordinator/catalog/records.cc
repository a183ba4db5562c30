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

std::string_view NameOf(Absence absence) {
  switch (absence) {
    case Absence::kInvited:
      return "not_joined";
    case Absence::kRevoked:
      return "revoked";
    case Absence::kCallRefused:
      return "key_refused";
    case Absence::kCertificateOut:
      return "certificate_ended";
    case Absence::kSilent:
      return "silent";
    case Absence::kLedgerTrouble:
      return "ledger_trouble";
    case Absence::kTableMissing:
      return "table_missing";
    case Absence::kPlanDeclined:
      return "plan_declined";
    case Absence::kUnwilling:
      return "unwilling";
    case Absence::kBusy:
      return "busy";
    case Absence::kPassedOver:
      return "passed_over";
    case Absence::kSpoilt:
      return "spoilt_a_sum";
  }
  return "unknown";
}

}  // namespace aisle
