// What a coordinator must do differently that was restored from a backup: the chain has gone on without it.
//
// Between the backup and now, the coordinator that was lost may have opened rounds, published models, taken codes,
// renewed keys and acknowledged ledgers. Nobody here knows what, so nothing of it may be done a second time in another
// way (docs/decisions/0028-restored-from-a-backup.md):
//   - Numbers of rounds and versions of models are never used again: they go on beyond all that can have been used.
//   - Rounds that were open are over. Stores that still hold a vector for one are told so.
//   - One-time codes that were not used yet are void: they may have been used since.
//   - Stores whose keys were renewed, or who joined, since the backup are known by their certificates (Restored).
// Acknowledged ledger heads need nothing: an older head is in every true ledger.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/identity/identity.h"
#include "base/ids.h"
#include "base/status.h"
#include "coordinator/catalog/state_store.h"

namespace aisle {

// Rounds that one job can open, and so versions it can publish, within a minute: numbers go on so far beyond the
// backup's for each minute that has begun since. Restoring one backup twice therefore needs a minute in between.
inline constexpr uint64_t kNumbersPerMinute = 600;

// A data folder with this file in it was restored, and its coordinator has not been started since. `aisle backup`
// writes it.
inline constexpr std::string_view kBackupMarkName = "backup.toml";
struct BackupMark {
  ChainName chain;
  absl::Time made_at;
};
StatusOr<BackupMark> ParseBackupMark(std::string_view toml, std::string_view origin);

// What is kept of the latest restoration.
struct Restored {
  absl::Time made_at;         // The backup …
  absl::Time at;              // … and its restoration. Certificates issued in between are another coordinator's work.
  uint64_t numbers_from = 0;  // Rounds and versions of jobs that aren't known here begin beyond this.
  bool operator==(const Restored&) const = default;
};
inline constexpr std::string_view kRestoredSetting = "restored";
std::string EncodeRestored(const Restored& restored);
StatusOr<Restored> DecodeRestored(std::string_view bytes);
// Nullopt: this state was never restored.
StatusOr<std::optional<Restored>> FindRestored(const StateStore& state);

struct RestorationReport {
  uint64_t gap = 0;  // By how much numbers jumped.
  size_t rounds_ended = 0;
  size_t codes_voided = 0;
};
// Makes the state fit to go on, in one durable write. Doing it again for the same backup changes nothing: nullopt.
// FailedPrecondition if the clock is before the backup; InvalidArgument if numbers ran out.
StatusOr<std::optional<RestorationReport>> CarryOver(StateStore& state, absl::Time made_at, absl::Time now);

// If the data folder was restored: CarryOver, and the mark is put away as "restored.toml". FailedPrecondition for
// another chain's backup. Call before anything else reads the state.
Status CarryOverIfRestored(const std::string& data, const ChainName& chain, StateStore& state, absl::Time now);

}  // namespace aisle
