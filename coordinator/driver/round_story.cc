#include "coordinator/driver/round_story.h"

#include "base/overloaded.h"

namespace aisle {

RoundStory::RoundStory(absl::Time opened_at) {
  phases_.push_back({.phase = RoundPhase::kSelecting, .began = opened_at});
}

void RoundStory::Note(const Event& event, PhaseName before, const RoundMachine& machine, absl::Time at) {
  std::visit(Overloaded{[&](const StoreOffered& offered) { offered_.insert(offered.store); },
                        [&](const OutcomeReported& reported) {
                          StoreTimes& times = times_[reported.store];
                          if (!times.trained) times.trained = at;
                        },
                        [&](const UpdateCollected& collected) {
                          StoreTimes& times = times_[collected.store];
                          if (!times.collected) times.collected = at;
                          times.bytes_up = machine.policy().update_size;
                        },
                        // Dated by its phase, so that it can't be taken for a step of the next, which the last step
                        // begins in the same moment.
                        [&](const SumStepTaken& taken) { times_[taken.store].stepped = phases_.back().began; },
                        [](const auto&) {}},
             event);
  const PhaseName now = NameOfPhase(machine.phase());
  if (now == before) return;
  const auto* passed = std::get_if<DeadlinePassed>(&event);
  phases_.back().expired = passed != nullptr && passed->phase == before;
  phases_.push_back({.phase = static_cast<RoundPhase>(now), .began = at});
}

void RoundStory::CarryOn(const RoundRecord& known) {
  restarts_ = known.restarts + 1;
  absent_ = known.absent;
  commit_trouble_ = known.commit_trouble;
}

void RoundStory::WriteTo(RoundRecord& record) const {
  record.phases = phases_;
  record.absent = absent_;
  record.restarts = restarts_;
  record.commit_trouble = commit_trouble_;
  for (const StoreInRound& store : record.stores) {
    const auto found = times_.find(store.store);
    record.times.push_back(found == times_.end() ? StoreTimes{} : found->second);
  }
}

}  // namespace aisle
