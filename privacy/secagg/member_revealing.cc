// Step 5: of each neighbour one share of one secret, never of both. (Bonawitz et al. 2017, figure 4, round 4.)
#include <algorithm>
#include <utility>

#include "privacy/secagg/member.h"

namespace aisle::secagg {
namespace {

// Neighbours that survived and signed these survivors; no more are looked at than are needed. Signatures that don't
// hold count for nothing.
size_t CountConfirmations(const MemberState& state, const std::vector<NeighbourConfirmation>& confirmations,
                          const Trust& trust) {
  const PinnedRoster& roster = *state.roster;
  const std::string statement = SurvivorsStatement(roster.cohort, state.survivors->root);
  size_t count = 0;
  for (size_t i = 0; i < roster.neighbours.size() && count < roster.parameters.threshold; ++i) {
    const Neighbour& neighbour = roster.neighbours[i];
    if (state.survivors->neighbours[i] != MemberStatus::kSurvived) continue;
    const auto confirmed = std::ranges::find(confirmations, neighbour.position, &NeighbourConfirmation::from);
    if (confirmed == confirmations.end()) continue;
    const Status verdict = trust.verify_store(neighbour.certificate_pem, neighbour.store, kSurvivorsDomain, statement,
                                              confirmed->signature);
    if (verdict.ok()) ++count;
  }
  return count;
}

std::vector<std::optional<ShareKind>> KindsFor(const std::vector<MemberStatus>& statuses) {
  std::vector<std::optional<ShareKind>> kinds;
  for (const MemberStatus status : statuses) kinds.push_back(KindFor(status));
  return kinds;
}

// What was recorded as given, and nothing else; nothing of a neighbour whose shares were wrong.
RevealedShares Given(const MemberState& state) {
  RevealedShares revealed;
  for (size_t i = 0; i < state.given->size(); ++i) {
    const std::optional<ShareKind> kind = (*state.given)[i];
    const std::optional<HeldShares>& held = state.inbox->held[i];
    if (!kind || !held) continue;
    const SecretBytes& share = *kind == ShareKind::kSeed ? held->seed : held->mask;
    revealed.shares.push_back(
        {.of = state.roster->neighbours[i].position, .kind = *kind, .share = std::string(share.Reveal())});
  }
  return revealed;
}

}  // namespace

Answer<RevealedShares> Member::Reveal(const UnmaskInstruction& instruction, const Trust& trust) {
  if (auto refused = IsForeign(instruction.round, instruction.attempt)) return *refused;
  if (!state_.survivors) {
    return Refuse(RefusalReason::kUnconfirmed, "shares were asked for before this store confirmed any survivors");
  }
  if (instruction.survivors != state_.survivors->root) {
    return Refuse(RefusalReason::kSecondSurvivors, "shares were asked for survivors {}; this store confirmed {}",
                  instruction.survivors.ShortHex(), state_.survivors->root.ShortHex());
  }
  if (!state_.given) {
    const SumParameters& parameters = state_.roster->parameters;
    const size_t confirmed = CountConfirmations(state_, instruction.confirmations, trust);
    if (confirmed < parameters.threshold) {
      return Refuse(RefusalReason::kUnconfirmed,
                    "{} neighbours that survived have signed the same survivors; it takes {} of {}", confirmed,
                    parameters.threshold, parameters.degree);
    }
    state_.given = KindsFor(state_.survivors->neighbours);
  }
  return Given(state_);
}

}  // namespace aisle::secagg
