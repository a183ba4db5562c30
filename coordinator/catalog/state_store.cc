#include "coordinator/catalog/state_store.h"

#include <utility>

#include "coordinator/catalog/record_codec.h"

namespace aisle {
namespace {

uint64_t BigEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

// The round and sequence that JournalKey made this key of.
StatusOr<std::pair<RoundId, uint64_t>> ParseJournalKey(std::string_view key) {
  constexpr size_t kNumbers = sizeof(uint32_t) + sizeof(uint64_t);
  const size_t end = key.find('\0');
  if (end == std::string_view::npos || key.size() - end - 1 != kNumbers) {
    return DataLoss("the journal has a key of {} bytes that isn't an event's", key.size());
  }
  AISLE_ASSIGN_OR_RETURN(JobId job, JobId::Parse(key.substr(0, end)));
  const auto number = static_cast<uint32_t>(BigEndian(key.substr(end + 1, sizeof(uint32_t))));
  return std::pair{RoundId{std::move(job), number}, BigEndian(key.substr(key.size() - sizeof(uint64_t)))};
}

}  // namespace

template <typename T>
StatusOr<std::optional<T>> StateStore::Find(StateTable table, std::string_view key) const {
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, Get(table, key));
  if (!bytes) return std::optional<T>();
  AISLE_ASSIGN_OR_RETURN(T record, DecodeRecord<T>(*bytes));
  return std::optional<T>(std::move(record));
}

template <typename T>
StatusOr<std::vector<T>> StateStore::List(const Scan& scan) const {
  AISLE_ASSIGN_OR_RETURN(const std::vector<Row> rows, Read(scan));
  std::vector<T> records;
  records.reserve(rows.size());
  for (const Row& row : rows) {
    AISLE_ASSIGN_OR_RETURN(T record, DecodeRecord<T>(row.value));
    records.push_back(std::move(record));
  }
  return records;
}

StatusOr<std::optional<StoreRecord>> StateStore::FindStore(const StoreId& id) const {
  return Find<StoreRecord>(StateTable::kStores, id.str());
}

StatusOr<std::optional<StoreRecord>> StateStore::FindStoreByCode(const Digest& code_hash) const {
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> id, Get(StateTable::kCodes, code_hash.view()));
  if (!id) return std::optional<StoreRecord>();
  AISLE_ASSIGN_OR_RETURN(std::optional<StoreRecord> store, Find<StoreRecord>(StateTable::kStores, *id));
  // The table of codes only points: a code that was replaced, or whose store is gone, still stands there.
  if (store && !(store->code && store->code->hash == code_hash)) store.reset();
  return store;
}

StatusOr<std::optional<JobRecord>> StateStore::FindJob(const JobId& id) const {
  return Find<JobRecord>(StateTable::kJobs, id.str());
}

StatusOr<std::optional<RoundRecord>> StateStore::FindRound(const RoundId& id) const {
  return Find<RoundRecord>(StateTable::kRounds, RoundKey(id));
}

StatusOr<std::optional<ModelRecord>> StateStore::FindModel(const JobId& job, uint64_t version) const {
  return Find<ModelRecord>(StateTable::kModels, ModelKey(job, version));
}

StatusOr<std::optional<std::string>> StateStore::FindSetting(std::string_view name) const {
  return Get(StateTable::kSettings, name);
}

StatusOr<std::vector<StoreRecord>> StateStore::ListStores(const StoreId& after, size_t count_max) const {
  return List<StoreRecord>({.table = StateTable::kStores, .after = after.str(), .count_max = count_max});
}

StatusOr<std::vector<JobRecord>> StateStore::ListJobs() const { return List<JobRecord>({.table = StateTable::kJobs}); }

// Numbers may have gaps (a coordinator that was restored leaves a large one), so the look back goes further and
// further.
StatusOr<std::vector<RoundRecord>> StateStore::ListRounds(const JobId& job, size_t count_max) const {
  AISLE_ASSIGN_OR_RETURN(const std::optional<JobRecord> record, FindJob(job));
  const size_t all = record ? record->next_round_number : 0;
  for (size_t window = count_max;; window *= 4) {
    Scan scan{.table = StateTable::kRounds, .prefix = JobPrefix(job)};
    const bool whole = window >= all || window > SIZE_MAX / 4;
    if (!whole) scan.after = RoundKey({job, static_cast<uint32_t>(all - window - 1)});
    AISLE_ASSIGN_OR_RETURN(std::vector<RoundRecord> rounds, List<RoundRecord>(scan));
    if (rounds.size() < count_max && !whole) continue;
    if (rounds.size() > count_max) rounds.erase(rounds.begin(), rounds.end() - static_cast<std::ptrdiff_t>(count_max));
    return rounds;
  }
}

StatusOr<std::vector<ModelRecord>> StateStore::ListModels(const JobId& job) const {
  return List<ModelRecord>({.table = StateTable::kModels, .prefix = JobPrefix(job)});
}

StatusOr<std::vector<ModelRecord>> StateStore::ListModels() const {
  return List<ModelRecord>({.table = StateTable::kModels});
}

StatusOr<std::vector<std::string>> StateStore::ReadJournal(const RoundId& round) const {
  AISLE_ASSIGN_OR_RETURN(std::vector<Row> rows, Read({.table = StateTable::kJournal, .prefix = RoundKey(round)}));
  std::vector<std::string> events;
  events.reserve(rows.size());
  for (Row& row : rows) {
    if (row.key != JournalKey(round, events.size())) {
      return DataLoss("event {} of round {} is missing from its journal of {} events; restore a backup", events.size(),
                      round, rows.size());
    }
    events.push_back(std::move(row.value));
  }
  return events;
}

StatusOr<std::vector<RoundId>> StateStore::ListJournals() const {
  std::vector<RoundId> rounds;
  std::string after;
  for (;;) {  // From journal to journal, skipping the events in between.
    AISLE_ASSIGN_OR_RETURN(const std::vector<Row> next,
                           Read({.table = StateTable::kJournal, .after = after, .count_max = 1}));
    if (next.empty()) return rounds;
    AISLE_ASSIGN_OR_RETURN(const auto event, ParseJournalKey(next.front().key));
    rounds.push_back(event.first);
    after = JournalKey(event.first, UINT64_MAX);
  }
}

}  // namespace aisle
