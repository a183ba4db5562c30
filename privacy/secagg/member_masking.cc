// Step 3: neighbours' shares are opened and pinned, and the vector is masked. (Bonawitz et al. 2017, figure 4,
// round 2.)
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "privacy/secagg/keys.h"
#include "privacy/secagg/member.h"
#include "privacy/secagg/sealed_shares.h"

namespace aisle::secagg {
namespace {

// All shares are of neighbours, in the order of positions, each once; and at least the threshold's number.
std::optional<Refused> CheckForm(const PinnedRoster& roster, const SharesInbox& inbox) {
  auto neighbour = roster.neighbours.begin();
  for (const ReceivedShares& received : inbox.shares) {
    neighbour = std::find_if(neighbour, roster.neighbours.end(),
                             [&](const Neighbour& one) { return one.position == received.from; });
    if (neighbour == roster.neighbours.end()) {
      return Refuse(RefusalReason::kNeighboursForged,
                    "shares came from position {}, which is no neighbour of position {}, or came twice or out of order",
                    received.from, roster.position);
    }
    ++neighbour;
  }
  if (inbox.shares.size() < roster.parameters.threshold) {
    return Refuse(RefusalReason::kCohortTooSmall,
                  "the shares of {} neighbours came; with fewer than {} of {} the vector might hang on masks that "
                  "headquarters can have removed",
                  inbox.shares.size(), roster.parameters.threshold, roster.parameters.degree);
  }
  return std::nullopt;
}

// The own mask, then one for each neighbour that dealt.
StatusOr<std::vector<Mask>> MasksOf(const MemberState& state, const PinnedInbox& inbox) {
  const PinnedRoster& roster = *state.roster;
  const Digest& terms = state.advert.terms;
  const X25519Key mask_key = ReadyKey(MaskPrivateKey(state.secret, terms));
  std::vector<Mask> masks;
  masks.push_back(SelfMask(SelfMaskSeed(state.secret, terms), roster.cohort, roster.position));
  for (size_t i = 0; i < roster.neighbours.size(); ++i) {
    if (!inbox.dealt[i]) continue;
    const Neighbour& peer = roster.neighbours[i];
    StatusOr<Mask> mask = PairMask(mask_key, peer.mask_key, roster.cohort, roster.position, peer.position);
    if (!mask.ok()) return Annotate(mask.status(), fmt::format("neighbour '{}'", peer.store));
    masks.push_back(*std::move(mask));
  }
  return masks;
}

Answer<PinnedInbox> Open(const MemberState& state, const SharesInbox& inbox) {
  const PinnedRoster& roster = *state.roster;
  PinnedInbox pinned{.digest = DigestOf(inbox), .dealt = {}, .held = {}};
  std::optional<std::string> wrong;  // The last one.
  auto received = inbox.shares.begin();
  for (const Neighbour& from : roster.neighbours) {
    pinned.dealt.push_back(received != inbox.shares.end() && received->from == from.position);
    pinned.held.emplace_back();
    if (!pinned.dealt.back()) continue;
    const Passage passage{.cohort = roster.cohort, .from = from.position, .to = roster.position};
    StatusOr<HeldShares> opened = OpenShares(passage, from.opening, *received++);
    if (opened.ok()) {
      pinned.held.back() = *std::move(opened);
    } else {
      wrong = fmt::format("what store '{}' at position {} dealt to us is wrong: {}", from.store, from.position,
                          MessageOf(opened.status()));
    }
  }
  const auto right = std::ranges::count_if(pinned.held, [](const auto& held) { return held.has_value(); });
  if (static_cast<size_t>(right) >= roster.parameters.threshold) return pinned;
  return Refuse(RefusalReason::kShareWrong,
                "{}; {} neighbours' are right, and this store goes on with no fewer than {}", wrong.value_or("nothing"),
                right, roster.parameters.threshold);
}

}  // namespace

std::vector<StoreId> Member::WrongDealers() const {
  std::vector<StoreId> dealers;
  for (size_t i = 0; state_.inbox && i < state_.inbox->held.size(); ++i) {
    if (state_.inbox->dealt[i] && !state_.inbox->held[i]) dealers.push_back(state_.roster->neighbours[i].store);
  }
  return dealers;
}

std::optional<Refused> Member::Take(const SharesInbox& inbox) {
  if (auto refused = IsForeign(state_.terms.round, inbox.attempt)) return refused;
  if (!state_.roster) {
    return Refuse(RefusalReason::kCohortReplayed,
                  "shares came for attempt {} of round {}, whose roster this store never saw", inbox.attempt,
                  state_.terms.round);
  }
  if (state_.inbox) {
    if (DigestOf(inbox) == state_.inbox->digest) return std::nullopt;
    return Refuse(RefusalReason::kCohortReplayed,
                  "other shares came than those that this store masked its vector with; it is masked once");
  }
  if (auto refused = CheckForm(*state_.roster, inbox)) return refused;
  Answer<PinnedInbox> opened = Open(state_, inbox);
  if (auto* refused = std::get_if<Refused>(&opened)) return std::move(*refused);
  StatusOr<std::vector<secagg::Mask>> masks = MasksOf(state_, std::get<PinnedInbox>(opened));
  if (!masks.ok()) {
    return Refuse(RefusalReason::kNeighbourUnproven, "no mask can be agreed on: {}", MessageOf(masks.status()));
  }
  state_.inbox = std::move(std::get<PinnedInbox>(opened));
  masks_ = *std::move(masks);
  return std::nullopt;
}

void Member::Mask(uint64_t first_coordinate, std::span<uint32_t> values) const {
  AISLE_CHECK(masked(), "a vector can't be masked before shares came");
  AISLE_CHECK(first_coordinate <= state_.terms.length && values.size() <= state_.terms.length - first_coordinate,
              "coordinates {} to {} of a vector of {}", first_coordinate, first_coordinate + values.size(),
              state_.terms.length);
  if (masks_.empty()) {
    StatusOr<std::vector<secagg::Mask>> masks = MasksOf(state_, *state_.inbox);
    AISLE_CHECK(masks.ok(), "masks that were made before can't be made again: {}", MessageOf(masks.status()));
    masks_ = *std::move(masks);
  }
  ApplyMasks(masks_, first_coordinate, values);
}

}  // namespace aisle::secagg
