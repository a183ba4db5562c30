// State in memory, for tests and the simulation: behaves as the real one, and can lose what wasn't synced.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "coordinator/catalog/state_store.h"

namespace aisle {

class MemoryStateStore : public StateStore {
 public:
  Status Commit(const StateChange& change, Durability durability) override;

  // The machine loses power: of the commits since the last synced one, only the first `survivors` remain.
  void LosePower(size_t survivors = 0);
  // Commits since the last synced one.
  size_t unsynced() const;
  // The next `count` commits change nothing and answer `failure`.
  void FailCommits(Status failure, size_t count = 1);
  // From the next commit on nothing can be written or read any more, until Mend.
  void BreakAtNextCommit(Status failure);
  void Mend();

 protected:
  StatusOr<std::optional<std::string>> Get(StateTable table, std::string_view key) const override;
  StatusOr<std::vector<Row>> Read(const Scan& scan) const override;

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;
  struct Tables {
    Rows rows[kStateTableCount];
    Rows& operator[](StateTable table) { return rows[static_cast<size_t>(table)]; }
    const Rows& operator[](StateTable table) const { return rows[static_cast<size_t>(table)]; }
  };
  static void Apply(const StateChange& change, Tables& tables);
  Status CheckRequirements(const StateChange& change) const;

  mutable std::mutex mutex_;  // Guards all below.
  Tables tables_;
  Tables synced_;
  std::vector<StateChange> unsynced_;
  Status failure_;
  size_t failures_left_ = 0;
  Status breaks_;  // At the next commit.
  Status broken_;
};

}  // namespace aisle
