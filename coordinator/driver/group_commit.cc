#include "coordinator/driver/group_commit.h"

#include <utility>

#include "base/check.h"
#include "base/cover.h"

namespace aisle {

GroupCommit::GroupCommit(StateStore& store, Executor& executor, std::function<void(const Status&)> lost)
    : store_(store), executor_(executor), lost_(std::move(lost)) {}

StateChange& GroupCommit::change() {
  ScheduleFlush();
  return change_;
}

void GroupCommit::Append(const RoundId& round, uint64_t sequence, std::string entry) {
  Pending& pending = appends_[round];
  if (pending.entries.empty()) pending.first_sequence = sequence;
  AISLE_CHECK(sequence == pending.first_sequence + pending.entries.size());
  pending.entries.push_back(std::move(entry));
  ScheduleFlush();
}

void GroupCommit::DropJournal(const RoundId& round) {
  appends_.erase(round);
  drops_.push_back(round);
  ScheduleFlush();
}

void GroupCommit::Then(Afterwards afterwards) {
  afterwards_.push_back(std::move(afterwards));
  ScheduleFlush();
}

void GroupCommit::ScheduleFlush() {
  if (scheduled_) return;
  scheduled_ = true;
  executor_.Post([this] { Flush(); });
}

void GroupCommit::Flush() {
  scheduled_ = false;
  StateChange change = std::exchange(change_, {});
  for (auto& [round, pending] : std::exchange(appends_, {})) {
    change.AppendEvents(round, pending.first_sequence, pending.entries);
  }
  for (const RoundId& round : std::exchange(drops_, {})) change.DropJournal(round);
  const std::vector<Afterwards> afterwards = std::exchange(afterwards_, {});
  AISLE_COVER("commit.journal.before");
  const Status committed = change.empty() ? OkStatus() : store_.Commit(change, Durability::kSynced);
  AISLE_COVER("commit.journal.after");
  for (const Afterwards& then : afterwards) then(committed);
  if (!committed.ok()) lost_(committed);
}

}  // namespace aisle
