#include "coordinator/round/phase.h"

#include <array>

#include "base/check.h"
#include "base/overloaded.h"

namespace aisle {

std::string_view NameOf(const Seat& seat) {
  constexpr std::array<std::string_view, 6> kNames = {"selected", "trained", "collected",
                                                      "refused",  "failed",  "silent"};
  static_assert(std::variant_size_v<Seat> == kNames.size());
  return kNames[seat.index()];
}

std::string DetailOf(const TaskOutcome& outcome) {
  if (const auto* refused = std::get_if<Refused>(&outcome)) return DetailOf(Seat(*refused));
  if (const auto* failed = std::get_if<Failed>(&outcome)) return DetailOf(Seat(*failed));
  return "";
}

std::string DetailOf(const Seat& seat) {
  return std::visit(
      Overloaded{[](const Refused& refused) { return fmt::format("{}: {}", NameOf(refused.reason), refused.detail); },
                 [](const Failed& failed) { return fmt::format("{}: {}", NameOf(failed.reason), failed.detail); },
                 [](const GaveUpdate& gave) { return gave.left; }, [](const LeftBehind& left) { return left.why; },
                 [](const auto&) { return std::string(); }},
      seat);
}

const Seat* Roster::Find(const StoreId& store) const {
  const auto found = seats_.find(store);
  return found == seats_.end() ? nullptr : &found->second;
}

std::string_view NameOf(AbortReason reason) {
  switch (reason) {
    case AbortReason::kTooFewStores:
      return "too_few_stores";
    case AbortReason::kTooFewTrained:
      return "too_few_trained";
    case AbortReason::kTooFewUpdates:
      return "too_few_updates";
    case AbortReason::kCancelled:
      return "cancelled";
    case AbortReason::kCommitFailed:
      return "commit_failed";
    case AbortReason::kTooFewAdvertised:
      return "too_few_advertised";
    case AbortReason::kTooFewShared:
      return "too_few_shared";
    case AbortReason::kTooFewConfirmed:
      return "too_few_confirmed";
    case AbortReason::kTooFewRevealed:
      return "too_few_revealed";
  }
  AISLE_CHECK(false, "abort reason {}", static_cast<int>(reason));
}

PhaseName NameOfPhase(const Phase& phase) { return static_cast<PhaseName>(phase.index() + 1); }

std::string_view NameOf(PhaseName phase) {
  switch (phase) {
    case PhaseName::kSelecting:
      return "selecting";
    case PhaseName::kTraining:
      return "training";
    case PhaseName::kCollecting:
      return "collecting";
    case PhaseName::kCommitting:
      return "committing";
    case PhaseName::kCommitted:
      return "committed";
    case PhaseName::kAborted:
      return "aborted";
    case PhaseName::kAdvertising:
      return "advertising";
    case PhaseName::kSharing:
      return "sharing";
    case PhaseName::kConfirming:
      return "confirming";
    case PhaseName::kUnmasking:
      return "unmasking";
  }
  AISLE_CHECK(false, "phase {}", static_cast<int>(phase));
}

bool IsClosed(const Phase& phase) {
  return std::holds_alternative<Committed>(phase) || std::holds_alternative<Aborted>(phase);
}

bool IsSumming(const Phase& phase) {
  const auto* collecting = std::get_if<Collecting>(&phase);
  return std::holds_alternative<Advertising>(phase) || std::holds_alternative<Sharing>(phase) ||
         (collecting != nullptr && collecting->sum) || std::holds_alternative<Confirming>(phase) ||
         std::holds_alternative<Unmasking>(phase);
}

const Roster* RosterOf(const Phase& phase) {
  return std::visit(
      [](const auto& state) -> const Roster* {
        if constexpr (requires { state.roster; })
          return &state.roster;
        else
          return nullptr;
      },
      phase);
}

const DealtCohort* SumOf(const Phase& phase) {
  if (const auto* collecting = std::get_if<Collecting>(&phase)) return collecting->sum ? &*collecting->sum : nullptr;
  return std::visit(
      [](const auto& state) -> const DealtCohort* {
        if constexpr (requires { state.sum.cohort; })
          return &state.sum;
        else
          return nullptr;
      },
      phase);
}

const secagg::Cohort* CohortOf(const Phase& phase) {
  if (const DealtCohort* sum = SumOf(phase)) return sum->cohort.get();
  const auto* committing = std::get_if<Committing>(&phase);
  return committing == nullptr || committing->transcript == nullptr ? nullptr : committing->transcript->cohort.get();
}

absl::Time ClosesAt(const Phase& phase) {
  return std::visit(
      [](const auto& state) {
        if constexpr (requires { state.closes_at; })
          return state.closes_at;
        else
          return absl::InfiniteFuture();
      },
      phase);
}

}  // namespace aisle
