#include "coordinator/round/phase.h"

#include <array>

#include "base/check.h"

namespace aisle {

std::string_view NameOf(const Seat& seat) {
  constexpr std::array<std::string_view, 6> kNames = {"selected", "trained", "collected",
                                                      "refused",  "failed",  "silent"};
  static_assert(std::variant_size_v<Seat> == kNames.size());
  return kNames[seat.index()];
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
  }
  AISLE_CHECK(false, "phase {}", static_cast<int>(phase));
}

bool IsClosed(const Phase& phase) {
  return std::holds_alternative<Committed>(phase) || std::holds_alternative<Aborted>(phase);
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
