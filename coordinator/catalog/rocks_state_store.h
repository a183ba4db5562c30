// The state of a single coordinator, in RocksDB: one family per table.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "coordinator/catalog/state_store.h"

namespace aisle {

// A synced commit costs one sync of RocksDB's log (about 0.3 ms on a fast disk); commits run one at a time, so a caller
// with many events to write should put those that are waiting into one change.
class RocksStateStore final : public StateStore {
 public:
  // Makes the folder where it is missing. FailedPrecondition if another coordinator has it open; see also
  // KeyValueStore.
  static StatusOr<std::unique_ptr<RocksStateStore>> Open(const std::string& folder);

  Status Commit(const StateChange& change, Durability durability) override;

  // A copy as of this moment, which Open can open; see KeyValueStore::Checkpoint.
  Status CopyTo(const std::string& folder) const { return rows_->Checkpoint(folder); }

 protected:
  StatusOr<std::optional<std::string>> Get(StateTable table, std::string_view key) const override;
  StatusOr<std::vector<Row>> Read(const Scan& scan) const override;

 private:
  explicit RocksStateStore(std::unique_ptr<KeyValueStore> rows);
  Status CheckRequirements(const StateChange& change) const;
  Family In(StateTable table) const { return families_[static_cast<size_t>(table)]; }

  std::unique_ptr<KeyValueStore> rows_;
  Family families_[kStateTableCount];
  std::mutex commit_mutex_;  // Held from checking a change's requirements until it is written.
};

}  // namespace aisle
