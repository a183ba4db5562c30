// The phases of a round. A phase carries exactly the data it has, so an impossible mixture can't be written down.
//
//   Selecting -> Training -> [secure sum: Advertising, Sharing] -> Collecting -> [Confirming, Unmasking] -> Committing
//             -> Committed | Aborted(reason)
//
// The bracketed phases arrive with the secure sum. transitions.h lists the moves that exist.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "coordinator/round/roster.h"
#include "coordinator/round/turn.h"

namespace aisle {

struct Selecting {
  absl::Time closes_at;
  std::map<StoreId, Candidate> candidates;  // More than are wanted while the round waits for whose turn it is.
  bool operator==(const Selecting&) const = default;
};

struct Training {
  absl::Time closes_at;
  Roster roster;
  bool operator==(const Training&) const = default;
};

struct Collecting {
  absl::Time closes_at;
  Roster roster;  // No seat is AskedToTrain any more.
  bool operator==(const Collecting&) const = default;
};

struct Committing {
  Roster roster;  // Those with GaveUpdate are the survivors: the sum is theirs.
  bool operator==(const Committing&) const = default;
};

struct Committed {
  Roster roster;
  uint64_t model_version = 0;
  bool operator==(const Committed&) const = default;
};

enum class AbortReason { kTooFewStores = 1, kTooFewTrained, kTooFewUpdates, kCancelled, kCommitFailed };
inline constexpr int kAbortReasonCount = 5;
std::string_view NameOf(AbortReason reason);  // "too_few_stores": stable, for metrics, logs and tables.

struct Aborted {
  Roster roster;
  AbortReason reason = AbortReason::kCancelled;
  std::string explanation;  // For people: what happened, the limit, what to do.
  bool operator==(const Aborted&) const = default;
};

using Phase = std::variant<Selecting, Training, Collecting, Committing, Committed, Aborted>;

// In the order of the variant.
enum class PhaseName { kSelecting = 1, kTraining, kCollecting, kCommitting, kCommitted, kAborted };
PhaseName NameOfPhase(const Phase& phase);
std::string_view NameOf(PhaseName phase);  // "selecting".

bool IsClosed(const Phase& phase);           // Committed or Aborted.
const Roster* RosterOf(const Phase& phase);  // Null while selecting.
absl::Time ClosesAt(const Phase& phase);     // InfiniteFuture where no deadline runs.

}  // namespace aisle
