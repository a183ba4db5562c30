#include "privacy/secagg/roster_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "privacy/secagg/layout.h"
#include "privacy/secagg/merkle.h"

namespace aisle::secagg {
namespace {

using MaybeRefused = std::optional<Refused>;

MaybeRefused CheckHead(const MemberState& state, const RosterHead& head, const Trust& trust) {
  if (head.terms != state.advert.terms) {
    return Refuse(RefusalReason::kTermsDiffer,
                  "the roster is of terms {}, ours (round {}, attempt {}, plan {}, {} coordinates, at least {} stores) "
                  "of {}",
                  head.terms.ShortHex(), state.terms.round, state.terms.attempt, state.terms.plan.ShortHex(),
                  state.terms.length, state.terms.cohort_min, state.advert.terms.ShortHex());
  }
  const Status signed_by_headquarters =
      trust.verify_headquarters(head.certificate_pem, kRosterDomain, RosterStatement(NameOf(head)), head.signature);
  if (!signed_by_headquarters.ok()) {
    return Refuse(RefusalReason::kRosterForged, "the roster isn't signed by a coordinator of this chain: {}",
                  MessageOf(signed_by_headquarters));
  }
  if (head.size < state.cohort_min) {
    return Refuse(RefusalReason::kCohortTooSmall, "the roster has {} stores; this store joins none of fewer than {}",
                  head.size, state.cohort_min);
  }
  return std::nullopt;
}

MaybeRefused CheckOwn(const MemberState& state, const RosterHead& head, const RosterEntry& own) {
  if (own.advert != state.advert) {
    return Refuse(RefusalReason::kNotInRoster,
                  "the advert said to be ours, of store '{}' at position {}, isn't the one "
                  "that this store sent",
                  own.advert.store, own.position);
  }
  const Status proven = VerifyInclusion(LeafOf(own.advert), own.position, head.size, own.proof, head.root);
  if (!proven.ok()) {
    return Refuse(RefusalReason::kNotInRoster, "our own advert isn't in the roster: {}", MessageOf(proven));
  }
  return std::nullopt;
}

MaybeRefused CheckPlaces(const std::vector<uint32_t>& expected, const std::vector<RosterEntry>& neighbours) {
  if (neighbours.size() != expected.size()) {
    return Refuse(RefusalReason::kNeighboursForged, "{} neighbours were sent; from everybody's nonces follow {}",
                  neighbours.size(), expected.size());
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (neighbours[i].position == expected[i]) continue;
    return Refuse(RefusalReason::kNeighboursForged,
                  "position {} was sent as a neighbour where position {} follows from everybody's nonces",
                  neighbours[i].position, expected[i]);
  }
  return std::nullopt;
}

MaybeRefused CheckNeighbour(const RosterHead& head, const RosterEntry& entry, const Trust& trust) {
  const Advert& advert = entry.advert;
  const Status included = VerifyInclusion(LeafOf(advert), entry.position, head.size, entry.proof, head.root);
  if (!included.ok()) {
    return Refuse(RefusalReason::kRosterForged, "the advert of neighbour '{}' isn't in the roster: {}", advert.store,
                  MessageOf(included));
  }
  if (advert.terms != head.terms) {
    return Refuse(RefusalReason::kTermsDiffer, "neighbour '{}' at position {} joined on terms {}, this store on {}",
                  advert.store, entry.position, advert.terms.ShortHex(), head.terms.ShortHex());
  }
  const Status proven = trust.verify_store(advert.certificate_pem, advert.store, kAdvertDomain, AdvertStatement(advert),
                                           advert.signature);
  if (!proven.ok()) {
    return Refuse(RefusalReason::kNeighbourUnproven, "neighbour '{}' at position {} isn't proven: {}", advert.store,
                  entry.position, MessageOf(proven));
  }
  return std::nullopt;
}

// Positions are in ascending order of ids: equal ids, or ids out of order, show that somebody stands in two places.
MaybeRefused CheckOrder(const std::map<uint32_t, const Advert*>& adverts) {
  const auto disordered = std::ranges::adjacent_find(
      adverts, [](const auto& a, const auto& b) { return a.second->store >= b.second->store; });
  if (disordered == adverts.end()) return std::nullopt;
  const auto& [next_position, next] = *std::next(disordered);
  if (next->store == disordered->second->store) {
    return Refuse(RefusalReason::kDuplicateKeys, "store '{}' stands at position {} and again at {}", next->store,
                  disordered->first, next_position);
  }
  return Refuse(RefusalReason::kRosterForged, "'{}' at position {} comes after '{}' at {}, against the order of ids",
                next->store, next_position, disordered->second->store, disordered->first);
}

// No key of one may be a key of another, nor a store's channel key its mask key.
MaybeRefused CheckKeys(const std::map<uint32_t, const Advert*>& adverts, const Trust& trust) {
  std::map<std::string, const Advert*> keys;
  const auto second_owner = [&](std::string key, const Advert& advert) -> MaybeRefused {
    const auto [at, fresh] = keys.emplace(std::move(key), &advert);
    if (fresh) return std::nullopt;
    return Refuse(RefusalReason::kDuplicateKeys, "stores '{}' and '{}' have a key in common", at->second->store,
                  advert.store);
  };
  for (const auto& [position, advert] : adverts) {
    const StatusOr<Digest> certified = trust.key_of(advert->certificate_pem);
    if (!certified.ok()) {
      return Refuse(RefusalReason::kNeighbourUnproven, "the certificate of store '{}' at position {} isn't one: {}",
                    advert->store, position, MessageOf(certified.status()));
    }
    for (std::string key : {advert->channel_key, advert->mask_key, "certificate " + certified->Hex()}) {
      if (auto refused = second_owner(std::move(key), *advert)) return refused;
    }
  }
  return std::nullopt;
}

MaybeRefused CheckTwins(const RosterEntry& own, const std::vector<RosterEntry>& neighbours, const Trust& trust) {
  std::map<uint32_t, const Advert*> adverts{{own.position, &own.advert}};
  for (const RosterEntry& entry : neighbours) adverts.emplace(entry.position, &entry.advert);
  if (auto refused = CheckOrder(adverts)) return refused;
  return CheckKeys(adverts, trust);
}

PinnedRoster Pin(const ShareInstruction& instruction, const SumParameters& parameters) {
  PinnedRoster roster;
  roster.cohort = NameOf(instruction.roster);
  roster.parameters = parameters;
  roster.position = instruction.own.position;
  for (const auto& [position, advert, proof] : instruction.neighbours) {
    roster.neighbours.push_back({.position = position,
                                 .store = advert.store,
                                 .certificate_pem = advert.certificate_pem,
                                 .channel_key = advert.channel_key,
                                 .mask_key = advert.mask_key,
                                 .opening = {}});
  }
  return roster;
}

}  // namespace

Answer<PinnedRoster> CheckRoster(const MemberState& state, const ShareInstruction& instruction, const Trust& trust) {
  const auto& [head, own, neighbours] = std::tie(instruction.roster, instruction.own, instruction.neighbours);
  if (auto refused = CheckHead(state, head, trust)) return *refused;
  if (auto refused = CheckOwn(state, head, own)) return *refused;
  const StatusOr<Layout> layout = LayOut(state.terms, NameOf(head));
  if (!layout.ok()) {
    return Refuse(RefusalReason::kCohortTooSmall, "no graph protects this cohort: {}", MessageOf(layout.status()));
  }
  if (auto refused = CheckPlaces(layout->graph.NeighboursOf(own.position), neighbours)) return *refused;
  for (const RosterEntry& entry : neighbours) {
    if (auto refused = CheckNeighbour(head, entry, trust)) return *refused;
  }
  if (auto refused = CheckTwins(own, neighbours, trust)) return *refused;
  return Pin(instruction, layout->parameters);
}

}  // namespace aisle::secagg
