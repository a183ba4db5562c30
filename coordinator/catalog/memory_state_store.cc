#include "coordinator/catalog/memory_state_store.h"

#include <algorithm>
#include <utility>

namespace aisle {

Status MemoryStateStore::Commit(const StateChange& change, Durability durability) {
  const std::lock_guard lock(mutex_);
  AISLE_RETURN_IF_ERROR(change.Check());
  broken_ = breaks_;
  AISLE_RETURN_IF_ERROR(broken_);
  if (failures_left_ > 0) {
    --failures_left_;
    return failure_;
  }
  AISLE_RETURN_IF_ERROR(CheckRequirements(change));
  Apply(change, tables_);
  if (durability != Durability::kSynced) {
    unsynced_.push_back(change);
    return OkStatus();
  }
  for (const StateChange& earlier : std::exchange(unsynced_, {})) Apply(earlier, synced_);
  Apply(change, synced_);
  return OkStatus();
}

void MemoryStateStore::LosePower(size_t survivors) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < std::min(survivors, unsynced_.size()); ++i) Apply(unsynced_[i], synced_);
  unsynced_.clear();
  tables_ = synced_;
}

size_t MemoryStateStore::unsynced() const {
  const std::lock_guard lock(mutex_);
  return unsynced_.size();
}

void MemoryStateStore::FailCommits(Status failure, size_t count) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
  failures_left_ = count;
}

void MemoryStateStore::BreakAtNextCommit(Status failure) {
  const std::lock_guard lock(mutex_);
  breaks_ = std::move(failure);
}

void MemoryStateStore::Mend() {
  const std::lock_guard lock(mutex_);
  breaks_ = broken_ = OkStatus();
}

StatusOr<std::optional<std::string>> MemoryStateStore::Get(StateTable table, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  AISLE_RETURN_IF_ERROR(broken_);
  const auto found = tables_[table].find(key);
  if (found == tables_[table].end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

StatusOr<std::vector<StateStore::Row>> MemoryStateStore::Read(const Scan& scan) const {
  const std::lock_guard lock(mutex_);
  AISLE_RETURN_IF_ERROR(broken_);
  const Rows& rows = tables_[scan.table];
  std::vector<Row> found;
  for (auto row = scan.after < scan.prefix ? rows.lower_bound(scan.prefix) : rows.upper_bound(scan.after);
       row != rows.end() && row->first.starts_with(scan.prefix) && found.size() < scan.count_max; ++row) {
    found.push_back({row->first, row->second});
  }
  return found;
}

void MemoryStateStore::Apply(const StateChange& change, Tables& tables) {
  for (const StateChange::Write& write : change.writes()) {
    Rows& rows = tables[write.table];
    if (write.whole_prefix) {
      const auto first = rows.lower_bound(write.key);
      rows.erase(first,
                 std::find_if(first, rows.end(), [&](const auto& row) { return !row.first.starts_with(write.key); }));
    } else if (write.value) {
      rows.insert_or_assign(write.key, *write.value);
    } else {
      rows.erase(write.key);
    }
  }
}

Status MemoryStateStore::CheckRequirements(const StateChange& change) const {
  for (const StateChange::Requirement& requirement : change.requirements()) {
    const Rows& rows = tables_[requirement.table];
    const auto found = rows.find(requirement.key);
    if (!requirement.IsMetBy(found == rows.end() ? nullptr : &found->second)) return requirement.Refusal();
  }
  return OkStatus();
}

}  // namespace aisle
