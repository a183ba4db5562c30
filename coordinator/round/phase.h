// The phases of a round. A phase carries exactly the data it has, so an impossible mixture can't be written down.
//
//   Selecting -> Training -> [Advertising -> Sharing] -> Collecting -> [Confirming -> Unmasking] -> Committing
//             -> Committed | Aborted(reason)
//
// The bracketed phases are the secure sum's: rounds of plans without it pass them over. transitions.h lists the moves
// that exist.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "coordinator/round/roster.h"
#include "coordinator/round/sum.h"
#include "coordinator/round/turn.h"
#include "privacy/secagg/unmask.h"

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

struct Advertising {
  absl::Time closes_at;
  Roster roster;         // No seat is AskedToTrain any more.
  uint32_t attempt = 1;  // At a cohort.
  std::map<StoreId, Advert> adverts;
  std::set<std::string> keys;  // Of the adverts: no key comes twice.
  bool operator==(const Advertising&) const = default;
};

struct Sharing {
  absl::Time closes_at;
  Roster roster;    // HoldsUpdate: in the cohort and not gone.
  DealtCohort sum;  // Dealt so far.
  bool operator==(const Sharing&) const = default;
};

struct Collecting {
  absl::Time closes_at;
  Roster roster;                   // No seat is AskedToTrain any more.
  std::optional<DealtCohort> sum;  // Under the secure sum: all that was ever dealt.
  bool operator==(const Collecting&) const = default;
};

struct Confirming {
  absl::Time closes_at;
  Roster roster;                       // Those with GaveUpdate are the survivors: the sum is theirs.
  DealtCohort sum;                     // Sealed shares are gone: nobody needs them any more.
  std::vector<MemberStatus> statuses;  // By position: fixed for ever.
  Digest survivors;                    // Their Merkle root, which survivors sign.
  std::map<uint32_t, Confirmation> confirmations;
  bool operator==(const Confirming&) const = default;
};

struct Unmasking {
  absl::Time closes_at;
  Roster roster;
  DealtCohort sum;
  std::vector<MemberStatus> statuses;
  Digest survivors;
  std::map<uint32_t, Confirmation> confirmations;  // Those who confirmed are asked for shares.
  std::map<uint32_t, RevealedShares> revealed;
  std::vector<uint32_t> shares_of;  // By position: shares of its secret that have been revealed.
  size_t secrets_missing = 0;       // Of those that dealt: still below the threshold.
  bool operator==(const Unmasking&) const = default;
};

struct Committing {
  Roster roster;                                         // As before: who gave an update survives.
  std::shared_ptr<const secagg::Transcript> transcript;  // What takes the masks off; null without the secure sum.
  bool operator==(const Committing& other) const { return roster == other.roster && !transcript == !other.transcript; }
};

struct Committed {
  Roster roster;
  uint64_t model_version = 0;
  bool operator==(const Committed&) const = default;
};

enum class AbortReason {
  kTooFewStores = 1,
  kTooFewTrained,
  kTooFewUpdates,
  kCancelled,
  kCommitFailed,
  kTooFewAdvertised,  // The secure sum: too few showed their keys …
  kTooFewShared,      // … or dealt shares, …
  kTooFewConfirmed,   // … signed who survived, …
  kTooFewRevealed,    // … or revealed shares.
};
inline constexpr int kAbortReasonCount = 9;
std::string_view NameOf(AbortReason reason);  // "too_few_stores": stable, for metrics, logs and tables.

struct Aborted {
  Roster roster;
  AbortReason reason = AbortReason::kCancelled;
  std::string explanation;  // For people: what happened, the limit, what to do.
  bool operator==(const Aborted&) const = default;
};

// In the order in which they came into the world, for their numbers are in journals; the order of a round is
// transitions.h's.
using Phase = std::variant<Selecting, Training, Collecting, Committing, Committed, Aborted, Advertising, Sharing,
                           Confirming, Unmasking>;

// In the order of the variant.
enum class PhaseName {
  kSelecting = 1,
  kTraining,
  kCollecting,
  kCommitting,
  kCommitted,
  kAborted,
  kAdvertising,
  kSharing,
  kConfirming,
  kUnmasking,
};
inline constexpr int kPhaseCount = 10;
static_assert(std::variant_size_v<Phase> == kPhaseCount);
PhaseName NameOfPhase(const Phase& phase);
std::string_view NameOf(PhaseName phase);  // "selecting".

bool IsClosed(const Phase& phase);             // Committed or Aborted.
bool IsSumming(const Phase& phase);            // From Advertising to Unmasking, under the secure sum.
const Roster* RosterOf(const Phase& phase);    // Null while selecting.
const DealtCohort* SumOf(const Phase& phase);  // From Sharing to Unmasking; null else, and without the secure sum.
const secagg::Cohort* CohortOf(const Phase& phase);  // The same, and while committing.
absl::Time ClosesAt(const Phase& phase);             // InfiniteFuture where no deadline runs.

}  // namespace aisle
