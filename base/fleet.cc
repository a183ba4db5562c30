#include "base/fleet.h"

#include "base/check.h"

namespace aisle {

std::string_view NameOf(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kPlanNotAllowed:
      return "plan_not_allowed";
    case RefusalReason::kPlanSignature:
      return "plan_signature";
    case RefusalReason::kPlanInvalid:
      return "plan_invalid";
    case RefusalReason::kTableMissing:
      return "table_missing";
    case RefusalReason::kColumnNotAllowed:
      return "column_not_allowed";
    case RefusalReason::kOutsideHours:
      return "outside_hours";
    case RefusalReason::kPrivacyBudget:
      return "privacy_budget";
    case RefusalReason::kPrivacyUnit:
      return "privacy_unit";
    case RefusalReason::kResourceCap:
      return "resource_cap";
    case RefusalReason::kByteBudget:
      return "byte_budget";
    case RefusalReason::kNotEnoughData:
      return "not_enough_data";
    case RefusalReason::kSecureSumRequired:
      return "secure_sum_required";
    case RefusalReason::kLedgerHalted:
      return "ledger_halted";
    case RefusalReason::kCohortReplayed:
      return "cohort_replayed";
    case RefusalReason::kRosterForged:
      return "roster_forged";
    case RefusalReason::kNotInRoster:
      return "not_in_roster";
    case RefusalReason::kCohortTooSmall:
      return "cohort_too_small";
    case RefusalReason::kNeighboursForged:
      return "neighbours_forged";
    case RefusalReason::kNeighbourUnproven:
      return "neighbour_unproven";
    case RefusalReason::kDuplicateKeys:
      return "duplicate_keys";
    case RefusalReason::kTermsDiffer:
      return "terms_differ";
    case RefusalReason::kShareWrong:
      return "share_wrong";
    case RefusalReason::kSurvivorsForged:
      return "survivors_forged";
    case RefusalReason::kSurvivorsTooFew:
      return "survivors_too_few";
    case RefusalReason::kSecondSurvivors:
      return "second_survivors";
    case RefusalReason::kUnconfirmed:
      return "unconfirmed";
    case RefusalReason::kOtherShareKind:
      return "other_share_kind";
    case RefusalReason::kVectorSpent:
      return "vector_spent";
    case RefusalReason::kOther:
      return "other";
  }
  AISLE_CHECK(false, "refusal reason {}", static_cast<int>(reason));
}

std::string_view NameOf(FailureReason reason) {
  switch (reason) {
    case FailureReason::kDownload:
      return "download";
    case FailureReason::kPlanError:
      return "plan_error";
    case FailureReason::kMemoryCap:
      return "memory_cap";
    case FailureReason::kTimeCap:
      return "time_cap";
    case FailureReason::kSandbox:
      return "sandbox";
    case FailureReason::kWorkerCrash:
      return "worker_crash";
    case FailureReason::kStorage:
      return "storage";
    case FailureReason::kOther:
      return "other";
  }
  AISLE_CHECK(false, "failure reason {}", static_cast<int>(reason));
}

}  // namespace aisle
