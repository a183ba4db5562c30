// Step 2: the roster is checked and pinned, then shares are dealt. (Bonawitz et al. 2017, figure 4, round 1.)
#include <utility>

#include "base/check.h"
#include "privacy/secagg/keys.h"
#include "privacy/secagg/member.h"
#include "privacy/secagg/roster_check.h"
#include "privacy/secagg/sealed_shares.h"
#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

// A store's share point is its position + 1: point 0 is the secret's.
std::vector<uint32_t> PointsOf(const std::vector<Neighbour>& neighbours) {
  std::vector<uint32_t> points;
  for (const Neighbour& neighbour : neighbours) points.push_back(neighbour.position + 1);
  return points;
}

StatusOr<std::vector<secagg::Share>> SplitAmong(const PinnedRoster& roster, const SecretBytes& secret,
                                                const SecretBytes& dealing_seed, std::string_view purpose) {
  AesCtrStream polynomials(dealing_seed, purpose);
  return Split(secret, roster.parameters.threshold, PointsOf(roster.neighbours), polynomials);
}

}  // namespace

// All randomness is the cohort secret's and the roster's: however often it is asked for, it is the same.
StatusOr<DealtShares> Member::Deal(const PinnedRoster& roster, std::vector<SecretBytes>& opening) const {
  const Digest& terms = state_.advert.terms;
  const SecretBytes dealing_seed = DealingSeed(state_.secret, roster.cohort);
  const SecretBytes seed = SelfMaskSeed(state_.secret, terms);
  const X25519Key channel_key = ReadyKey(ChannelPrivateKey(state_.secret, terms));
  AISLE_ASSIGN_OR_RETURN(const auto mask_shares, SplitAmong(roster, MaskPrivateKey(state_.secret, terms), dealing_seed,
                                                            "secagg/dealing/mask-key"));
  AISLE_ASSIGN_OR_RETURN(const auto seed_shares, SplitAmong(roster, seed, dealing_seed, "secagg/dealing/seed"));

  AesCtrStream nonces(dealing_seed, "secagg/dealing/nonces");
  DealtShares dealt{.shares = {}, .seed_digest = SeedDigest(roster.cohort, roster.position, seed), .signature = {}};
  for (size_t i = 0; i < roster.neighbours.size(); ++i) {
    const Neighbour& to = roster.neighbours[i];
    const Passage passage{.cohort = roster.cohort, .from = roster.position, .to = to.position};
    const HeldShares shares{.mask = mask_shares[i].Serialise(), .seed = seed_shares[i].Serialise()};
    StatusOr<Channel> channel =
        AgreeOnChannel(channel_key, to.channel_key, roster.cohort, roster.position, to.position);
    if (!channel.ok()) return Annotate(channel.status(), fmt::format("neighbour '{}'", to.store));
    dealt.shares.push_back(SealShares(passage, channel->sealing, shares, nonces));
    opening.push_back(std::move(channel->opening));
  }
  return dealt;
}

StatusOr<Answer<DealtShares>> Member::Share(const ShareInstruction& instruction, const Credentials& credentials,
                                            const Trust& trust) {
  if (auto refused = IsForeign(instruction.round, instruction.attempt)) return *refused;
  std::vector<SecretBytes> opening;
  if (state_.roster) {
    const CohortName& pinned = state_.roster->cohort;
    if (const CohortName asked = NameOf(instruction.roster); asked != pinned) {
      return Refuse(
          RefusalReason::kCohortReplayed,
          "this store dealt its shares to roster {} of {} stores; roster {} of {} is another, and there is one "
          "for each attempt",
          pinned.root.ShortHex(), pinned.size, asked.root.ShortHex(), asked.size);
    }
    AISLE_ASSIGN_OR_RETURN(DealtShares dealt, Deal(*state_.roster, opening));
    dealt.signature = state_.roster->dealt_signature;
    return dealt;
  }
  Answer<PinnedRoster> checked = CheckRoster(state_, instruction, trust);
  if (auto* refused = std::get_if<Refused>(&checked)) return std::move(*refused);
  PinnedRoster& roster = std::get<PinnedRoster>(checked);
  StatusOr<DealtShares> dealt = Deal(roster, opening);
  if (!dealt.ok()) {  // All that can be wrong is a neighbour's key.
    return Refuse(RefusalReason::kNeighbourUnproven, "no share can be sealed: {}", MessageOf(dealt.status()));
  }
  AISLE_ASSIGN_OR_RETURN(dealt->signature,
                         credentials.sign(kDealtDomain, DealtStatement(roster.cohort, roster.position, *dealt)));
  roster.dealt_signature = dealt->signature;
  for (size_t i = 0; i < opening.size(); ++i) roster.neighbours[i].opening = std::move(opening[i]);
  state_.roster = std::move(roster);
  return *std::move(dealt);
}

}  // namespace aisle::secagg
