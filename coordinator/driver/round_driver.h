// Gives a round's pure machine its hands: journal first, then timers, answers, folds and the commit.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/status.h"
#include "coordinator/catalog/records.h"
#include "coordinator/driver/group_commit.h"
#include "coordinator/driver/round_story.h"
#include "coordinator/journal/entry_codec.h"
#include "coordinator/round/machine.h"

namespace aisle {

// Owned by the coordinator's executor; not thread-safe. Everything it asks of the house happens on that executor, after
// the event that caused it is durable.
class RoundDriver {
 public:
  struct House {
    std::function<void(const StoreId&)> duty_changed;  // Answer the store if it waits.
    std::function<void(const StoreId&, const BlobName&)> fold;
    std::function<void(const ApplySum&)> apply_sum;
    std::function<void(const StoreId&, const std::string& why)> distrust = {};
    std::function<void(PhaseName before, PhaseName now)> changed;  // Often with before == now: one more store.
    // For the round's record, before it is written: who wasn't selected and why, once selection is over; and how many
    // bytes of a missing vector are here, once collecting is. Null: unknown.
    std::function<std::vector<AbsentStores>(const std::set<StoreId>& offered)> absent = {};
    std::function<uint64_t(const StoreId&)> received = {};
    std::function<void()> closed;  // Last of all; the driver may be destroyed from within a task posted by it.
  };
  using Done = std::function<void(const Status&)>;

  // A new round: its opening goes into the next durable write, with whatever else is in there.
  static std::unique_ptr<RoundDriver> Open(RoundId id, const RoundOpened& opened, Executor& executor,
                                           GroupCommit& commit, House house);
  // A round that a restart finds open. DataLoss if the journal is not one. A phase whose deadline has passed while
  // nobody was listening gets `grace` from now on. Call Restart next.
  static StatusOr<std::unique_ptr<RoundDriver>> Resume(RoundId id, const std::vector<std::string>& journal,
                                                       Executor& executor, GroupCommit& commit, House house);
  // What its record knew that its journal doesn't tell; call before Restart.
  void CarryOn(const RoundRecord& known);
  // Does again what a restart has undone: timers, folds of what was accepted, the commit if it was due.
  void Restart(absl::Duration grace);
  ~RoundDriver();
  RoundDriver(const RoundDriver&) = delete;
  RoundDriver& operator=(const RoundDriver&) = delete;

  // `done` hears why the event is refused, at once; or OK once the event is durable and its effects are under way. What
  // was said before isn't written down again.
  void Submit(Event event, Done done);
  // As Submit for the event that publishes the model: the caller puts model and job into the same write.
  void Publish(uint64_t model_version, Done done) { Submit(ModelPublished{model_version}, std::move(done)); }

  const RoundMachine& machine() const { return machine_; }
  const RoundId& id() const { return machine_.id(); }
  // The round as people see it.
  RoundRecord Record() const;
  void CountDownload(uint64_t bytes) { bytes_down_ += bytes; }
  // Goes into the record with the round's next phase.
  void NoteCommitTrouble(std::string why) { story_.NoteCommitTrouble(std::move(why)); }
  void SetMetrics(std::map<std::string, double> metrics) { metrics_ = std::move(metrics); }

 private:
  RoundDriver(RoundMachine machine, Executor& executor, GroupCommit& commit, House house);
  void CarryOut(const Effects& effects, PhaseName before, PhaseName now);
  void ArmDeadline(PhaseName phase, absl::Time at);
  void NoteWhoIsMissing(PhaseName ended);

  RoundMachine machine_;
  Executor& executor_;
  GroupCommit& commit_;
  House house_;
  RoundStory story_;
  uint64_t next_sequence_ = 0;
  Executor::TimerId deadline_ = 0;
  std::optional<absl::Time> closed_at_;
  uint64_t bytes_down_ = 0;
  std::map<std::string, double> metrics_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // Tells late tasks that the driver is gone.
};

}  // namespace aisle
