// What the coordinator keeps, as plain values: stores, jobs, rounds, models. No behaviour, no storage.
//
// Times are kept to the microsecond. An optional that is empty means "never" or "none". Bounds here are what the
// decoder accepts (record_codec.h); callers check their own input at their own door.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/fleet.h"
#include "base/ids.h"

namespace aisle {

// ---- Stores ---------------------------------------------------------------------------------------------------------

enum class StoreState { kInvited = 1, kEnrolled, kRevoked };

// The one-time code that lets a store join. Only its hash is kept.
struct EnrolmentCode {
  Digest hash;  // SHA-256 of the code's 16 bytes.
  absl::Time expires;
  std::optional<absl::Time> used;  // When it was traded for a certificate …
  std::optional<Digest> used_by;   // … and for which key.
  bool operator==(const EnrolmentCode&) const = default;
};

struct StoreRecord {
  StoreId id;
  StoreState state = StoreState::kInvited;
  std::optional<EnrolmentCode> code;  // The latest one given out.
  std::optional<Digest> key_current;  // SHA-256 of the public key (SubjectPublicKeyInfo) in use …
  std::optional<Digest> key_next;     // … and of the one a renewal certified, until it is first seen in use.
  std::string certificate_serial;     // Hexadecimal, of the latest certificate.
  std::optional<absl::Time> certificate_not_after;
  std::optional<absl::Time> first_seen;  // First check-in.
  std::optional<absl::Time> last_seen;   // Written lazily: may lag by minutes, and a crash may lose the latest.
  std::string agent_version;
  uint64_t rounds_selected = 0;
  uint64_t rounds_collected = 0;
  std::string last_refusal;                   // Its latest structured refusal, in words.
  std::string revoke_reason;                  // Empty unless revoked.
  std::optional<LedgerHead> ledger;           // Of its privacy ledger, the last one acknowledged …
  std::optional<absl::Time> ledger_at;        // … and when.
  std::string ledger_trouble;                 // What is wrong with its ledger; empty if nothing is.
  std::string call_refused;                   // Why its latest refused call was, in words; empty: none ever was …
  std::optional<absl::Time> call_refused_at;  // … and when, to within minutes.
  bool operator==(const StoreRecord&) const = default;
};

// ---- Jobs -----------------------------------------------------------------------------------------------------------

enum class JobState { kQueued = 1, kRunning, kFinished, kCancelled, kFailed };

// A store that spoilt a sum of the job: it isn't asked up to and with this round.
struct LeftOutStore {
  StoreId store;
  uint32_t until_round = 0;
  bool operator==(const LeftOutStore&) const = default;
};

struct JobRecord {
  JobId id;
  JobState state = JobState::kQueued;
  std::string state_reason;    // Why it was cancelled or failed.
  BlobName plan;               // The bundle.
  std::string plan_signature;  // Ed25519, 64 bytes.
  std::string plan_name;       // For people.
  BlobName initial_weights;
  std::optional<BlobName> optimizer_state;  // Of the server optimizer, after the last committed round.
  uint32_t rounds_total = 0;                // Rounds to commit.
  uint32_t rounds_committed = 0;
  uint32_t rounds_aborted = 0;
  uint32_t aborted_in_a_row = 0;
  uint32_t next_round_number = 1;  // Numbers are never used twice.
  uint64_t model_version = 0;      // Latest published; 0: the initial weights.
  uint32_t priority = 0;           // Higher goes first.
  uint32_t cohort_target = 0;      // Stores per round.
  absl::Time submitted_at;
  std::optional<absl::Time> ended_at;
  uint64_t version_floor = 0;  // Versions up to here belong to a coordinator that was lost: never given out again.
  std::vector<LeftOutStore> left_out;
  bool operator==(const JobRecord&) const = default;
};

// ---- Rounds ---------------------------------------------------------------------------------------------------------

// In no order but that of their coming into the world: numbers are in records.
enum class RoundPhase {
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
enum class StoreOutcome { kSelected = 1, kTrained, kCollected, kRefused, kFailed, kSilent };

struct StoreInRound {
  StoreId store;
  StoreOutcome outcome = StoreOutcome::kSelected;
  std::string detail;  // Its refusal or failure, in words.
  bool operator==(const StoreInRound&) const = default;
};

// A stretch of a round's life, as its journal tells it.
struct PhaseSpan {
  RoundPhase phase = RoundPhase::kSelecting;
  absl::Time began;
  bool expired = false;  // It ended because its deadline passed, not because everybody was heard of.
  bool operator==(const PhaseSpan&) const = default;
};

// When headquarters heard of a store in a round.
struct StoreTimes {
  std::optional<absl::Time> trained;    // It reported a finished vector, a refusal or a failure.
  std::optional<absl::Time> collected;  // Its vector was here, whole.
  std::optional<absl::Time> stepped;    // Its latest step of the secure sum.
  uint64_t bytes_up = 0;                // Of its vector, durable here when the record was written.
  bool operator==(const StoreTimes&) const = default;
};

// Why a store of the chain wasn't among a round's candidates. Numbers are in records.
enum class Absence {
  kInvited = 1,     // Never joined: its code wasn't used.
  kRevoked,         // Shut out by an administrator.
  kCallRefused,     // Calls with a key that isn't its own any more.
  kCertificateOut,  // Silent, and its certificate has ended.
  kSilent,          // Not heard of lately.
  kLedgerTrouble,   // Its privacy ledger isn't what it was.
  kTableMissing,    // Doesn't keep a table that the plan reads.
  kPlanDeclined,    // Has refused this plan before.
  kUnwilling,       // Its site policy lets it take no task now.
  kBusy,            // At work for another job.
  kPassedOver,      // Willing and able; others were enough.
  kSpoilt,          // It spoilt a sum of the job, and isn't asked for some rounds.
};
inline constexpr int kAbsenceCount = 12;
struct AbsentStores {
  Absence why = Absence::kSilent;
  uint32_t count = 0;
  std::vector<StoreId> examples;  // In order of their ids, kAbsentExamplesMax at the most.
  bool operator==(const AbsentStores&) const = default;
};
inline constexpr size_t kAbsentExamplesMax = 8;

struct RoundRecord {
  RoundId id;
  RoundPhase phase = RoundPhase::kSelecting;
  absl::Time opened_at;
  std::optional<absl::Time> closed_at;
  std::optional<absl::Time> phase_closes_at;  // The present phase's deadline.
  uint32_t stores_selected = 0;
  uint32_t stores_trained = 0;
  uint32_t stores_collected = 0;
  uint32_t stores_refused = 0;
  uint32_t stores_failed = 0;
  std::string abort_reason;
  std::map<std::string, double> metrics;  // Noised means over the cohort, by name; empty until committed.
  uint64_t bytes_up = 0;                  // Update bytes accepted.
  uint64_t bytes_down = 0;                // Plan and weight bytes sent.
  uint64_t model_version = 0;             // The version published, if committed.
  std::vector<StoreInRound> stores;
  // What `aisle explain` tells causes from.
  std::vector<PhaseSpan> phases;     // In the order in which they began.
  std::vector<StoreTimes> times;     // Of each of `stores`, in their order.
  std::vector<AbsentStores> absent;  // If fewer stores were selected than the job wants: why the others weren't.
  uint32_t cohort_min = 0;           // Of the round's policy; 0: written before it was kept.
  uint32_t cohort_target = 0;
  uint64_t update_size = 0;  // Bytes of one vector.
  uint32_t restarts = 0;     // Times that the coordinator was restarted while the round was open.
  // Of the secure sum's present step: stores that took it, of those asked to. Not kept.
  uint32_t stores_stepped = 0;
  uint32_t stores_asked = 0;
  std::string commit_trouble;  // Why turning the sum into a model had to be tried again; empty if it hadn't.
  bool operator==(const RoundRecord&) const = default;
};

// ---- Models ---------------------------------------------------------------------------------------------------------

// One immutable version with its lineage. Version 0 is a plan's initial weights and has no record.
struct ModelRecord {
  JobId job;
  uint64_t version = 0;                     // From 1.
  BlobName weights;                         // What is published, in the flat tensor format.
  std::optional<BlobName> optimizer_state;  // Of the server optimizer, after this version.
  RoundId round;                            // That made it.
  uint32_t stores = 0;                      // Updates in the sum.
  Digest plan;                              // Digest of the bundle.
  double epsilon_floor = 0;                 // Spent by a store that took part in every committed round so far.
  double epsilon_aggregate = 0;             // Towards those who see only the published models.
  double delta = 0;
  std::string privacy_unit;  // As the plan spells it: "store", "customer", "none".
  absl::Time published_at;
  std::map<std::string, double> metrics;
  double clip_norm = 0;             // Of the round after it, where clipping adapts; 0: the plan's own.
  std::optional<BlobName> reached;  // Where training goes on from, if `weights` are a mean over rounds.
  bool operator==(const ModelRecord&) const = default;
};

// "invited", "running", "collecting", "silent": stable, for tables, logs and metrics.
std::string_view NameOf(StoreState state);
std::string_view NameOf(JobState state);
std::string_view NameOf(RoundPhase phase);
std::string_view NameOf(StoreOutcome outcome);
std::string_view NameOf(Absence absence);

}  // namespace aisle
