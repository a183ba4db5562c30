#include "coordinator/catalog/rocks_state_store.h"

#include <utility>

namespace aisle {
namespace {

constexpr StateTable kTables[] = {StateTable::kStores, StateTable::kCodes,   StateTable::kJobs,    StateTable::kRounds,
                                  StateTable::kModels, StateTable::kJournal, StateTable::kSettings};
static_assert(std::size(kTables) == kStateTableCount);

KeyValueOptions Options() {
  KeyValueOptions options;
  for (const StateTable table : kTables) options.families.emplace_back(NameOf(table));
  options.block_cache_size = 8 << 20;
  return options;
}

}  // namespace

StatusOr<std::unique_ptr<RocksStateStore>> RocksStateStore::Open(const std::string& folder) {
  AISLE_ASSIGN_OR_RETURN(std::unique_ptr<KeyValueStore> rows, KeyValueStore::Open(folder, Options()));
  return std::unique_ptr<RocksStateStore>(new RocksStateStore(std::move(rows)));
}

RocksStateStore::RocksStateStore(std::unique_ptr<KeyValueStore> rows) : rows_(std::move(rows)) {
  for (const StateTable table : kTables) families_[static_cast<size_t>(table)] = rows_->FamilyNamed(NameOf(table));
}

Status RocksStateStore::Commit(const StateChange& change, Durability durability) {
  AISLE_RETURN_IF_ERROR(change.Check());
  WriteBatch batch;
  for (const StateChange::Write& write : change.writes()) {
    if (write.whole_prefix) {
      batch.DeleteRange(In(write.table), write.key, EndOfPrefix(write.key));
    } else if (write.value) {
      batch.Put(In(write.table), write.key, *write.value);
    } else {
      batch.Delete(In(write.table), write.key);
    }
  }
  const std::lock_guard lock(commit_mutex_);
  AISLE_RETURN_IF_ERROR(CheckRequirements(change));
  return rows_->Write(batch, durability);
}

Status RocksStateStore::CheckRequirements(const StateChange& change) const {
  for (const StateChange::Requirement& requirement : change.requirements()) {
    AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> value, Get(requirement.table, requirement.key));
    if (!requirement.IsMetBy(value ? &*value : nullptr)) return requirement.Refusal();
  }
  return OkStatus();
}

StatusOr<std::optional<std::string>> RocksStateStore::Get(StateTable table, std::string_view key) const {
  return rows_->Get(In(table), key);
}

StatusOr<std::vector<StateStore::Row>> RocksStateStore::Read(const Scan& scan) const {
  // The first key after `after` is `after` with a zero byte behind it.
  const std::string first = scan.after < scan.prefix ? scan.prefix : scan.after + '\0';
  std::vector<Row> found;
  Cursor cursor = rows_->Range(In(scan.table), first, EndOfPrefix(scan.prefix));
  for (; cursor.Valid() && found.size() < scan.count_max; cursor.Next()) {
    found.push_back({std::string(cursor.key()), std::string(cursor.value())});
  }
  AISLE_RETURN_IF_ERROR(cursor.status());
  return found;
}

}  // namespace aisle
