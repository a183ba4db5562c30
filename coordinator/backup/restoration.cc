#include "coordinator/backup/restoration.h"

#include <algorithm>

#include "base/clock.h"
#include "base/codec.h"
#include "base/config.h"
#include "base/cover.h"
#include "base/log.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr uint8_t kFormat = 1;
// Clocks of two machines differ; more than this is another matter.
constexpr absl::Duration kClockSlack = absl::Minutes(5);

StatusOr<uint64_t> GapSince(absl::Time made_at, absl::Time now) {
  if (now < made_at - kClockSlack) {
    return FailedPrecondition("the backup is of {}, and this machine's clock says {}: set the clock first",
                              FormatUtc(made_at), FormatUtc(now));
  }
  const auto minutes = std::max<int64_t>(absl::ToInt64Minutes(now - made_at), 0);
  return kNumbersPerMinute * (static_cast<uint64_t>(minutes) + 1);
}

Status MoveOn(JobRecord& job, uint64_t gap) {
  const uint64_t next = job.next_round_number + gap;
  if (next > UINT32_MAX) return InvalidArgument("job {} is out of round numbers: {}", job.id, next);
  job.next_round_number = static_cast<uint32_t>(next);
  for (LeftOutStore& store : job.left_out) store.until_round += static_cast<uint32_t>(gap);
  job.version_floor = std::max(job.version_floor, job.model_version) + gap;
  return OkStatus();
}

bool IsActive(const JobRecord& job) { return job.state == JobState::kQueued || job.state == JobState::kRunning; }

// The round is over for good: whatever became of it happened elsewhere.
Status EndRound(const StateStore& state, const RoundId& round, std::string_view why, absl::Time now,
                StateChange& change) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<RoundRecord> known, state.FindRound(round));
  RoundRecord record = known.value_or(RoundRecord{.id = round, .opened_at = now});
  record.phase = RoundPhase::kAborted;
  record.phases.push_back({.phase = RoundPhase::kAborted, .began = now});
  record.closed_at = now;
  record.phase_closes_at.reset();
  record.abort_reason = why;
  change.Put(record).DropJournal(round);
  return OkStatus();
}

Status CarryOverJobs(const StateStore& state, const Restored& restored, uint64_t gap, RestorationReport& report,
                     StateChange& change) {
  AISLE_ASSIGN_OR_RETURN(std::vector<JobRecord> jobs, state.ListJobs());
  AISLE_ASSIGN_OR_RETURN(const std::vector<RoundId> journals, state.ListJournals());
  const std::string why =
      fmt::format("restored: the coordinator was restored from a backup of {}", FormatUtc(restored.made_at));
  for (JobRecord& job : jobs) {
    const auto open = std::ranges::find(journals, job.id, &RoundId::job);
    if (open == journals.end() && !IsActive(job)) continue;
    if (open != journals.end()) {
      AISLE_RETURN_IF_ERROR(EndRound(state, *open, why, restored.at, change));
      ++job.rounds_aborted;
      ++report.rounds_ended;
    }
    if (IsActive(job)) AISLE_RETURN_IF_ERROR(MoveOn(job, gap));
    if (!IsActive(job) && !job.ended_at) job.ended_at = restored.at;  // Cancelled while its round was closing.
    change.Put(job);
  }
  return OkStatus();
}

Status VoidCodes(const StateStore& state, RestorationReport& report, StateChange& change) {
  AISLE_ASSIGN_OR_RETURN(std::vector<StoreRecord> stores, state.ListStores());
  for (StoreRecord& store : stores) {
    if (!store.code || store.code->used) continue;
    store.code.reset();
    ++report.codes_voided;
    change.Put(store);
  }
  return OkStatus();
}

}  // namespace

StatusOr<BackupMark> ParseBackupMark(std::string_view toml, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable table, ConfigTable::Parse(toml, origin));
  std::string chain, version;
  int64_t made_at = 0;
  table.Require("chain", chain);
  table.Require("made_unix_us", made_at);
  table.Read("version", version);
  AISLE_RETURN_IF_ERROR(table.Finish());
  AISLE_ASSIGN_OR_RETURN(ChainName name, ChainName::Parse(chain));
  return BackupMark{.chain = std::move(name), .made_at = absl::FromUnixMicros(made_at)};
}

std::string EncodeRestored(const Restored& restored) {
  ByteWriter bytes;
  bytes.U8(kFormat)
      .I64(absl::ToUnixMicros(restored.made_at))
      .I64(absl::ToUnixMicros(restored.at))
      .U64(restored.numbers_from);
  return bytes.Take();
}

StatusOr<Restored> DecodeRestored(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t format = reader.U8();
  Restored restored;
  restored.made_at = absl::FromUnixMicros(reader.I64());
  restored.at = absl::FromUnixMicros(reader.I64());
  restored.numbers_from = reader.U64();
  AISLE_RETURN_IF_ERROR(reader.status("the record of a restoration"));
  if (format > kFormat) return FailedPrecondition("a newer coordinator has written this state; upgrade this one");
  if (format == 0) return DataLoss("the record of a restoration is damaged");
  return restored;
}

StatusOr<std::optional<Restored>> FindRestored(const StateStore& state) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, state.FindSetting(kRestoredSetting));
  if (!bytes) return std::optional<Restored>();
  AISLE_ASSIGN_OR_RETURN(const Restored restored, DecodeRestored(*bytes));
  return std::optional(restored);
}

StatusOr<std::optional<RestorationReport>> CarryOver(StateStore& state, absl::Time made_at, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<Restored> before, FindRestored(state));
  if (before && before->made_at == made_at) {
    AISLE_COVER("restoration.done_already");
    return std::optional<RestorationReport>();
  }
  RestorationReport report;
  AISLE_ASSIGN_OR_RETURN(report.gap, GapSince(made_at, now));
  const Restored restored{
      .made_at = made_at, .at = now, .numbers_from = (before ? before->numbers_from : 0) + report.gap};
  StateChange change;
  AISLE_RETURN_IF_ERROR(CarryOverJobs(state, restored, report.gap, report, change));
  AISLE_RETURN_IF_ERROR(VoidCodes(state, report, change));
  change.PutSetting(kRestoredSetting, EncodeRestored(restored));
  AISLE_RETURN_IF_ERROR(state.Commit(change, Durability::kSynced));
  return std::optional(report);
}

Status CarryOverIfRestored(const std::string& data, const ChainName& chain, StateStore& state, absl::Time now) {
  const std::string path = fmt::format("{}/{}", data, kBackupMarkName);
  if (!FileExists(path)) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  AISLE_ASSIGN_OR_RETURN(const BackupMark mark, ParseBackupMark(text, path));
  if (mark.chain != chain) {
    return FailedPrecondition("{} is a backup of chain {}, but the identity folder is {}'s", data, mark.chain, chain);
  }
  AISLE_ASSIGN_OR_RETURN(const std::optional<RestorationReport> report, CarryOver(state, mark.made_at, now));
  if (report) {
    LogWarning(
        "this coordinator was restored from a backup of {}: {} open rounds are over, {} unused codes are void, numbers "
        "of rounds and models jump by {}; stores that were revoked since must be revoked again",
        FormatUtc(mark.made_at), report->rounds_ended, report->codes_voided, report->gap);
  }
  return RenameDurably(path, data + "/restored.toml");
}

}  // namespace aisle
