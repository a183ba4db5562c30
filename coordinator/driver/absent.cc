// Who takes no part in a round, and why: kept in its record while it can still be known.
#include <algorithm>

#include "coordinator/driver/coordinator.h"

namespace aisle {

StoreAtHand Coordinator::AtHand(const StoreRecord& store) const {
  const StoreBook::Heard heard = stores_.HeardOf(store.id);
  return {.record = store, .latest = heard.latest, .last_seen = heard.last_seen, .busy = IsBusy(store.id)};
}

std::optional<RoundId> Coordinator::WorksFor(const StoreId& store) const {
  for (const auto& [id, job] : jobs_) {
    if (job.round == nullptr) continue;
    const Duty duty = job.round->machine().DutyOf(store);
    if (!std::holds_alternative<NoDuty>(duty) && !std::holds_alternative<DutyDone>(duty)) return job.round->id();
  }
  return std::nullopt;
}

// What keeps stores from a round, of those that weren't selected; of a round that nobody could begin, of those that
// didn't offer themselves. Nobody, if the round has all the stores that the job wants: then there is nothing to
// explain.
std::vector<AbsentStores> Coordinator::AbsentFrom(const ActiveJob& job, const std::set<StoreId>& offered) const {
  const Roster* roster = RosterOf(job.round->machine().phase());
  if (roster != nullptr && roster->size() >= job.record.cohort_target) return {};
  const StatusOr<std::vector<StoreRecord>> stores = stores_.List();
  if (!stores.ok()) return {};
  const bool begun = roster != nullptr && roster->size() > 0;
  const Opening opening = OpeningOf(job);
  AbsenceCount absences;
  for (const StoreRecord& store : *stores) {
    if (begun ? roster->Find(store.id) != nullptr : offered.contains(store.id)) continue;
    const Absence why = WhyAbsent(AtHand(store), opening, policy_.presence_window, now());
    const bool spoilt = why == Absence::kPassedOver && IsLeftOut(job, store.id);
    absences.Add(spoilt ? Absence::kSpoilt : why, store.id);
  }
  return absences.Take();
}

}  // namespace aisle
