#include "coordinator/round/sum_tasks.h"

#include "base/check.h"

namespace aisle {
namespace {

uint32_t PositionIn(const DealtCohort& sum, const StoreId& store) {
  const std::optional<uint32_t> position = sum.cohort->PositionOf(store);
  AISLE_CHECK(position.has_value(), "{} isn't in the cohort", store);
  return *position;
}

}  // namespace

AdvertiseInstruction TaskIn(const Advertising& phase, const RoundId& round) {
  return {.round = round, .attempt = phase.attempt, .deadline = phase.closes_at};
}

ShareInstruction TaskIn(const Sharing& phase, const RoundId& round, const StoreId& store, RosterHead head) {
  const secagg::Cohort& cohort = *phase.sum.cohort;
  const uint32_t position = PositionIn(phase.sum, store);
  ShareInstruction task{.round = round,
                        .attempt = cohort.terms().attempt,
                        .deadline = phase.closes_at,
                        .roster = std::move(head),
                        .own = cohort.EntryOf(position),
                        .neighbours = {}};
  for (const uint32_t neighbour : cohort.NeighboursOf(position)) task.neighbours.push_back(cohort.EntryOf(neighbour));
  return task;
}

CollectInstruction TaskIn(const Collecting& phase, const RoundId& round, const StoreId& store) {
  CollectInstruction task{.round = round, .deadline = phase.closes_at};
  if (phase.sum) task.inbox = phase.sum->cohort->InboxOf(PositionIn(*phase.sum, store), phase.sum->dealt);
  return task;
}

ConfirmInstruction TaskIn(const Confirming& phase, const RoundId& round) {
  return {.round = round,
          .attempt = phase.sum.cohort->terms().attempt,
          .deadline = phase.closes_at,
          .statuses = phase.statuses};
}

UnmaskInstruction TaskIn(const Unmasking& phase, const RoundId& round, const StoreId& store) {
  return {.round = round,
          .attempt = phase.sum.cohort->terms().attempt,
          .deadline = phase.closes_at,
          .survivors = phase.survivors,
          .confirmations = phase.sum.cohort->ConfirmationsFor(PositionIn(phase.sum, store), phase.confirmations)};
}

}  // namespace aisle
