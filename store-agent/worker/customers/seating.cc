#include "store-agent/worker/customers/seating.h"

#include <algorithm>
#include <utility>

namespace aisle {

SeatedGradients::SeatedGradients(std::unique_ptr<Lanes> lanes, size_t examples_max, std::unique_ptr<UnitGradients> loop)
    : lanes_(std::move(lanes)),
      examples_max_(std::min(examples_max, lanes_->seatings().back().seats.size())),
      loop_(std::move(loop)) {}

Status SeatedGradients::AddSome(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) {
  if (!is_seated_) return loop_->AddSome(work, slots_of, sum);
  left_.clear();
  AISLE_RETURN_IF_ERROR(SeatAll({work, slots_of, sum}));
  if (left_.empty()) return OkStatus();
  UnitWork rest = work;
  rest.drawn = left_;
  return loop_->AddSome(rest, slots_of, sum);
}

Status SeatedGradients::SeatAll(const Turn& turn) {
  std::vector<size_t> seated;
  size_t taken = 0;
  for (const size_t unit : turn.work.drawn) {
    const size_t count = turn.work.units.examples(unit).size();
    if (count > examples_max_) {
      left_.push_back(unit);
      continue;
    }
    if (turn.work.IsAlone(unit)) {
      AISLE_RETURN_IF_ERROR(Run(turn, {&unit, 1}));
      continue;
    }
    if (taken + count > lanes_->seatings().back().seats.size()) {
      AISLE_RETURN_IF_ERROR(Run(turn, seated));
      seated.clear();
      taken = 0;
    }
    seated.push_back(unit);
    taken += count;
  }
  return seated.empty() ? OkStatus() : Run(turn, seated);
}

// The smallest run that seats all of `units`.
const Seating& SeatedGradients::SeatingFor(const UnitWork& work, std::span<const size_t> units) const {
  size_t needed = 0;
  for (const size_t unit : units) needed += work.units.examples(unit).size();
  return *std::ranges::find_if(lanes_->seatings(), [&](const Seating& one) { return needed <= one.seats.size(); });
}

Status SeatedGradients::Run(const Turn& turn, std::span<const size_t> units) {
  const UnitWork& work = turn.work;
  if (work.stop != nullptr && work.stop->load(std::memory_order_relaxed)) return Cancelled("training was stopped");
  const Seating& seating = SeatingFor(work, units);
  std::vector<SeatedUnit> seated;
  std::vector<int64_t> indices(seating.lanes, -1);
  int64_t filler = -1;
  size_t taken = 0;
  for (const size_t unit : units) {
    seated.push_back({.unit = unit, .lanes = {}});
    for (const int64_t index : work.units.examples(unit)) {
      const size_t lane = seating.seats[taken++];
      indices[lane] = filler = index;
      seated.back().lanes.push_back(lane);
    }
  }
  work.Announce(units);
  std::ranges::replace(indices, int64_t{-1}, filler);  // Empty lanes hold somebody, and nobody looks at what they give.
  if (taken > 0 && !lanes_->Run(work.examples, indices).ok()) {
    if (units.size() == 1) {
      left_.push_back(units[0]);
      return OkStatus();
    }
    AISLE_RETURN_IF_ERROR(Run(turn, units.first(units.size() / 2)));
    return Run(turn, units.subspan(units.size() / 2));
  }
  for (const SeatedUnit& one : seated) {
    if (!Add(turn, one)) left_.push_back(one.unit);
  }
  EndRun();
  return OkStatus();
}

}  // namespace aisle
