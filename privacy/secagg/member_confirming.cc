// Step 4: who survived is checked, pinned and signed, once. (Bonawitz et al. 2017, figure 4, round 3: the consistency
// check that a lying headquarters makes necessary.)
#include <algorithm>
#include <utility>

#include "privacy/secagg/layout.h"
#include "privacy/secagg/member.h"

namespace aisle::secagg {
namespace {

using MaybeRefused = std::optional<Refused>;

// The first neighbour of whom the other kind of share would be asked.
MaybeRefused AsksOtherKind(const MemberState& state, const std::vector<MemberStatus>& statuses) {
  if (!state.given) return std::nullopt;
  for (size_t i = 0; i < state.given->size(); ++i) {
    const Neighbour& neighbour = state.roster->neighbours[i];
    const std::optional<ShareKind> given = (*state.given)[i];
    const std::optional<ShareKind> asked = KindFor(statuses[neighbour.position]);
    if (!given || !asked || *asked == *given) continue;
    return Refuse(
        RefusalReason::kOtherShareKind,
        "this store gave its share of the {} of store '{}' at position {}; the other kind stays here for ever",
        *given == ShareKind::kSeed ? "self mask's seed" : "mask key", neighbour.store, neighbour.position);
  }
  return std::nullopt;
}

MaybeRefused CheckOwnAndNeighbours(const MemberState& state, const std::vector<MemberStatus>& statuses) {
  const PinnedRoster& roster = *state.roster;
  if (statuses[roster.position] != MemberStatus::kSurvived) {
    return Refuse(RefusalReason::kSurvivorsForged, "this store, at position {}, is said to have dropped out",
                  roster.position);
  }
  for (size_t i = 0; i < roster.neighbours.size(); ++i) {
    const Neighbour& neighbour = roster.neighbours[i];
    const bool dealt = state.inbox->dealt[i];
    if ((statuses[neighbour.position] == MemberStatus::kAbsent) != dealt) continue;
    return Refuse(RefusalReason::kSurvivorsForged,
                  "store '{}' at position {} is said to have dealt {} shares; {} came to us", neighbour.store,
                  neighbour.position, dealt ? "no" : "its", dealt ? "its" : "none");
  }
  return std::nullopt;
}

// The site's own smallest sum, or what the ledgers count on.
uint32_t FewestFor(const MemberState& state) {
  return std::max(state.cohort_min, SurvivorsMin(state.terms, state.roster->cohort.size));
}

MaybeRefused CheckStatuses(const MemberState& state, const std::vector<MemberStatus>& statuses) {
  const bool known =
      std::ranges::all_of(statuses, [](MemberStatus status) { return status <= MemberStatus::kSurvived; });
  if (!known) return Refuse(RefusalReason::kSurvivorsForged, "a store's status is none that there is");
  if (auto refused = CheckOwnAndNeighbours(state, statuses)) return refused;
  const auto survivors = std::ranges::count(statuses, MemberStatus::kSurvived);
  if (static_cast<size_t>(survivors) < FewestFor(state)) {
    return Refuse(RefusalReason::kSurvivorsTooFew, "{} of {} stores survived; below {} this store unmasks nothing",
                  survivors, statuses.size(), FewestFor(state));
  }
  return std::nullopt;
}

}  // namespace

StatusOr<Answer<Confirmation>> Member::Confirm(const ConfirmInstruction& instruction, const Credentials& credentials) {
  if (auto refused = IsForeign(instruction.round, instruction.attempt)) return *refused;
  if (!masked()) {
    return Refuse(RefusalReason::kSurvivorsForged, "survivors of a sum were sent that this store gave no vector to");
  }
  const CohortName& cohort = state_.roster->cohort;
  if (instruction.statuses.size() != cohort.size) {
    return Refuse(RefusalReason::kSurvivorsForged, "{} statuses were sent for a roster of {} stores",
                  instruction.statuses.size(), cohort.size);
  }
  const Digest root = SurvivorsRoot(instruction.statuses);
  if (state_.survivors) {
    if (root == state_.survivors->root)
      return Confirmation{.survivors = root, .signature = state_.survivors->signature};
    if (auto refused = AsksOtherKind(state_, instruction.statuses)) return *refused;
    return Refuse(RefusalReason::kSecondSurvivors,
                  "this store confirmed survivors {}; {} are others, and it confirms once",
                  state_.survivors->root.ShortHex(), root.ShortHex());
  }
  if (auto refused = CheckStatuses(state_, instruction.statuses)) return *refused;
  PinnedSurvivors survivors{.root = root, .neighbours = {}, .signature = {}};
  for (const Neighbour& neighbour : state_.roster->neighbours) {
    survivors.neighbours.push_back(instruction.statuses[neighbour.position]);
  }
  AISLE_ASSIGN_OR_RETURN(survivors.signature, credentials.sign(kSurvivorsDomain, SurvivorsStatement(cohort, root)));
  state_.survivors = std::move(survivors);
  return Confirmation{.survivors = root, .signature = state_.survivors->signature};
}

}  // namespace aisle::secagg
