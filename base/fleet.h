// What a store and headquarters say to each other, as values: the vocabulary of the Fleet calls, free of protobuf.
// proto/convert/fleet.h turns wire messages into these, once, checking everything; proto/aisle/v1/fleet.proto tells the
// story.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/ledger_head.h"
#include "base/secure_sum.h"

namespace aisle {

inline constexpr uint32_t kProtocolMajor = 1;
// Raised when something is added. Neighbours in this number work together: what one doesn't know isn't asked of it.
//   0  the first
//   1  the secure sum; the ledger's head; late renewal; a reason that isn't known is read as kOther
inline constexpr uint32_t kProtocolMinor = 1;
inline constexpr uint32_t kSecureSumMinor = 1;
inline constexpr size_t kTablesPerStoreMax = 256;
inline constexpr size_t kDeclinedPlansMax = 256;
inline constexpr size_t kDetailLengthMax = 1000;               // Characters of a refusal's or failure's detail.
inline constexpr uint64_t kChunkSizeMax = 1 << 20;             // Bytes of data in one stream message.
inline constexpr uint64_t kChunkSize = 256 << 10;              // Bytes of data we put into one stream message.
inline constexpr uint64_t kUpdateSizeMax = uint64_t{1} << 30;  // 2^28 coordinates of 4 bytes.
inline constexpr absl::Duration kCheckInWaitMax = absl::Seconds(60);

// A content-addressed blob.
struct BlobName {
  Digest digest;
  uint64_t size = 0;  // Bytes.
  auto operator<=>(const BlobName&) const = default;
};

// Why a store won't run a task. Mirrors aisle.v1.RefusalReason.
enum class RefusalReason {
  kPlanNotAllowed = 1,
  kPlanSignature,
  kPlanInvalid,
  kTableMissing,
  kColumnNotAllowed,
  kOutsideHours,
  kPrivacyBudget,
  kPrivacyUnit,
  kResourceCap,
  kByteBudget,
  kNotEnoughData,
  kSecureSumRequired,
  kLedgerHalted,
  kCohortReplayed,
  kRosterForged,
  kNotInRoster,
  kCohortTooSmall,
  kNeighboursForged,
  kNeighbourUnproven,
  kDuplicateKeys,
  kTermsDiffer,
  kShareWrong,
  kSurvivorsForged,
  kSurvivorsTooFew,
  kSecondSurvivors,
  kUnconfirmed,
  kOtherShareKind,
  kVectorSpent,
  kOther,  // One that came after this version: only ever read.
};
inline constexpr int kRefusalReasonCount = 29;
std::string_view NameOf(RefusalReason reason);  // "plan_not_allowed": stable, for metrics, logs and tables.

// Why a task that was taken didn't end well. Mirrors aisle.v1.FailureReason.
enum class FailureReason { kDownload = 1, kPlanError, kMemoryCap, kTimeCap, kSandbox, kWorkerCrash, kStorage, kOther };
inline constexpr int kFailureReasonCount = 8;
std::string_view NameOf(FailureReason reason);

// How a store's task ended.
struct Trained {
  BlobName update;
  bool operator==(const Trained&) const = default;
};
struct Refused {
  RefusalReason reason = RefusalReason::kPlanNotAllowed;
  std::string detail;
  bool operator==(const Refused&) const = default;
};
struct Failed {
  FailureReason reason = FailureReason::kPlanError;
  std::string detail;
  bool operator==(const Failed&) const = default;
};
using TaskOutcome = std::variant<Trained, Refused, Failed>;

// Where a store stands in the round it works for.
enum class StoreStanding { kIdle = 1, kTraining, kTrained, kUploaded };

// What a store says of its privacy ledger, so that a cut or rolled back one is noticed. Headquarters moves its
// acknowledged head forward to `head` only where `verified` is the head it has.
struct LedgerClaim {
  LedgerHead head;
  std::optional<LedgerHead> verified;  // The acknowledged head that the store last found in its ledger, if any.
  bool halted = false;                 // The ledger isn't what it was: the store spends nothing.
  bool operator==(const LedgerClaim&) const = default;
};

struct CheckIn {
  std::string agent_version;
  std::vector<TableName> tables;
  bool willing = false;
  StoreStanding standing = StoreStanding::kIdle;
  std::optional<RoundId> round;  // Set unless idle.
  absl::Duration wait_max;       // How long the answer may be held.
  absl::Time clock;              // The store's.
  std::vector<Digest> declined_plans;
  uint64_t agent_instance = 0;  // Drawn when the agent starts; 0 if it doesn't say.
  std::optional<LedgerClaim> ledger = {};
  uint32_t protocol_minor = kProtocolMinor;  // The store's.
};

struct TrainInstruction {
  RoundId round;
  BlobName plan;
  BlobName weights;
  absl::Time deadline;
  uint32_t rounds_total = 0;
  std::string plan_signature;  // 64 bytes.
  double clip_norm = 0;        // Of this round, where the plan's adapts; 0: the plan's own.
};
struct CollectInstruction {
  RoundId round;
  absl::Time deadline;
  std::optional<SharesInbox> inbox = {};  // Secure sum: what to mask with.
};
enum class RoundOutcome { kCommitted = 1, kAborted, kLeftOut };
struct RoundClosed {
  RoundId round;
  RoundOutcome outcome = RoundOutcome::kAborted;
  std::string reason;
  uint64_t model_version = 0;
};
struct ComeBack {
  absl::Duration after;
};
using Instruction = std::variant<TrainInstruction, CollectInstruction, RoundClosed, ComeBack, AdvertiseInstruction,
                                 ShareInstruction, ConfirmInstruction, UnmaskInstruction>;

struct UploadHeader {
  RoundId round;
  BlobName update;
  uint64_t offset = 0;  // Bytes.
};

struct UploadStatus {
  uint64_t received = 0;  // Durable bytes from the start.
  bool complete = false;  // Verified and accepted.
};

}  // namespace aisle
