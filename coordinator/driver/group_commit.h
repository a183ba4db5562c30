// Many small changes, one durable write: what keeps a hundred stores' messages from costing a hundred disk syncs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/status.h"
#include "coordinator/catalog/state_store.h"

namespace aisle {

// Owned by the coordinator's executor; not thread-safe. Tasks that the executor runs before the flush share one write:
// the flush is posted behind whatever is waiting already, and while it syncs, the next batch gathers.
class GroupCommit {
 public:
  using Afterwards = std::function<void(const Status&)>;

  // `lost` is called once if a write fails: memory is then ahead of the disk and must be thrown away and read anew.
  GroupCommit(StateStore& store, Executor& executor, std::function<void(const Status&)> lost);

  // Goes into the next durable write. The order among records is kept.
  StateChange& change();
  // An event of a round's journal; `sequence` counts from 0 without gaps.
  void Append(const RoundId& round, uint64_t sequence, std::string entry);
  // The round is over: its journal goes in the same write, entries that wait for it included.
  void DropJournal(const RoundId& round);
  // Runs on the executor once everything gathered so far is durable, or has failed.
  void Then(Afterwards afterwards);
  // Something is gathered that isn't durable yet: memory is ahead of the disk.
  bool pending() const { return scheduled_; }

 private:
  struct Pending {
    uint64_t first_sequence = 0;
    std::vector<std::string> entries;
  };
  void ScheduleFlush();
  void Flush();

  StateStore& store_;
  Executor& executor_;
  std::function<void(const Status&)> lost_;
  StateChange change_;
  std::map<RoundId, Pending> appends_;
  std::vector<RoundId> drops_;
  std::vector<Afterwards> afterwards_;
  bool scheduled_ = false;
};

}  // namespace aisle
