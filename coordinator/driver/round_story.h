// What a round's journal tells beside the round itself: when each phase began, when each store was heard of. Kept for
// `aisle explain`; a replay of the journal tells the very same story.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/catalog/records.h"
#include "coordinator/round/machine.h"

namespace aisle {

// Owned by a RoundDriver; not thread-safe.
class RoundStory {
 public:
  explicit RoundStory(absl::Time opened_at);

  // After the machine has handled the event. `before`: the phase that it met.
  void Note(const Event& event, PhaseName before, const RoundMachine& machine, absl::Time at);
  // What the journal doesn't tell.
  void NoteAbsent(std::vector<AbsentStores> absent) { absent_ = std::move(absent); }
  void NoteBytes(const StoreId& store, uint64_t bytes) { times_[store].bytes_up = bytes; }
  void NoteCommitTrouble(std::string why) { commit_trouble_ = std::move(why); }
  // The coordinator was restarted: `known` is the round's record as the one before left it.
  void CarryOn(const RoundRecord& known);

  const std::set<StoreId>& offered() const { return offered_; }  // Whoever offered itself so far.

  // Fills in what the story knows; the record's stores must be there already.
  void WriteTo(RoundRecord& record) const;

 private:
  std::vector<PhaseSpan> phases_;
  std::set<StoreId> offered_;
  std::map<StoreId, StoreTimes> times_;
  std::vector<AbsentStores> absent_;
  uint32_t restarts_ = 0;
  std::string commit_trouble_;
};

}  // namespace aisle
