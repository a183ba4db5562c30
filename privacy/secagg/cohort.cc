#include "privacy/secagg/cohort.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "privacy/secagg/keys.h"
#include "privacy/secagg/layout.h"
#include "privacy/secagg/member_state.h"
#include "privacy/secagg/sealed_shares.h"
#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

std::vector<Digest> LeavesOf(const std::vector<Advert>& adverts) {
  std::vector<Digest> leaves;
  leaves.reserve(adverts.size());
  for (const Advert& advert : adverts) leaves.push_back(LeafOf(advert));
  return leaves;
}

Status CheckAdverts(const Digest& terms, const std::map<StoreId, Advert>& adverts) {
  std::map<std::string_view, const StoreId*> owners;
  for (const auto& [store, advert] : adverts) {
    if (advert.store != store) return InvalidArgument("store '{}' sent an advert of store '{}'", store, advert.store);
    if (advert.terms != terms) {
      return InvalidArgument("store '{}' joined on terms {}; the cohort's are {}", store, advert.terms.ShortHex(),
                             terms.ShortHex());
    }
    for (const std::string* key : {&advert.channel_key, &advert.mask_key}) {
      const auto [at, fresh] = owners.emplace(*key, &store);
      if (!fresh) return InvalidArgument("stores '{}' and '{}' have a key in common", *at->second, store);
    }
  }
  return OkStatus();
}

Status CheckPlaces(std::string_view what, const std::vector<uint32_t>& expected, const std::vector<uint32_t>& given) {
  if (given == expected) return OkStatus();
  const auto [a, b] = std::ranges::mismatch(expected, given);
  if (a == expected.end()) return InvalidArgument("{} has {} entries, not {}", what, given.size(), expected.size());
  return InvalidArgument("{} has no entry for position {} at its place ({} entries of {})", what, *a, given.size(),
                         expected.size());
}

// Each entry has its place, in order; some places may have none.
Status CheckAmong(std::string_view what, const std::vector<uint32_t>& owed, const std::vector<uint32_t>& given) {
  auto place = owed.begin();
  for (const uint32_t one : given) {
    place = std::find(place, owed.end(), one);
    if (place == owed.end()) {
      return InvalidArgument("{} has an entry for position {}, which isn't owed, or comes twice or out of order", what,
                             one);
    }
    ++place;
  }
  return OkStatus();
}

// What `from` dealt to `to`. Both are neighbours, and `dealt` passed CheckDealt.
const SealedShares& SharesFor(uint32_t to, const DealtShares& dealt) {
  const auto at = std::ranges::lower_bound(dealt.shares, to, {}, &SealedShares::to);
  AISLE_CHECK(at != dealt.shares.end() && at->to == to, "no shares were dealt to position {}", to);
  return *at;
}

}  // namespace

Cohort::Cohort(CohortTerms terms, CohortName name, SumParameters parameters, std::vector<Advert> adverts,
               MerkleTree tree, NeighbourGraph graph)
    : terms_(std::move(terms)),
      name_(name),
      parameters_(parameters),
      adverts_(std::move(adverts)),
      tree_(std::move(tree)),
      graph_(std::move(graph)) {}

StatusOr<Cohort> Cohort::Make(CohortTerms terms, std::map<StoreId, Advert> adverts) {
  const Digest digest = DigestOf(terms);
  AISLE_RETURN_IF_ERROR(CheckAdverts(digest, adverts));
  if (adverts.size() < terms.cohort_min) {
    return FailedPrecondition("{} stores have advertised; a cohort of round {} has at least {}", adverts.size(),
                              terms.round, terms.cohort_min);
  }
  std::vector<Advert> in_order;
  in_order.reserve(adverts.size());
  for (auto& [store, advert] : adverts) in_order.push_back(std::move(advert));
  MerkleTree tree(LeavesOf(in_order));
  const CohortName name{.terms = digest, .root = tree.root(), .size = tree.size()};
  AISLE_ASSIGN_OR_RETURN(Layout layout, LayOut(terms, name));
  return Cohort(std::move(terms), name, layout.parameters, std::move(in_order), std::move(tree),
                std::move(layout.graph));
}

std::optional<uint32_t> Cohort::PositionOf(const StoreId& store) const {
  const auto at = std::ranges::lower_bound(adverts_, store, {}, &Advert::store);
  if (at == adverts_.end() || at->store != store) return std::nullopt;
  return static_cast<uint32_t>(at - adverts_.begin());
}

const Advert& Cohort::AdvertOf(uint32_t position) const {
  AISLE_CHECK(position < size(), "no position {} in a cohort of {}", position, size());
  return adverts_[position];
}

std::vector<uint32_t> Cohort::WithTooFewNeighbours(const std::vector<bool>& of, const std::vector<bool>& among) const {
  AISLE_CHECK(of.size() == size() && among.size() == size());
  std::vector<uint32_t> short_of;
  for (uint32_t position = 0; position < size(); ++position) {
    if (!of[position]) continue;
    const auto count =
        std::ranges::count_if(NeighboursOf(position), [&](uint32_t neighbour) { return among[neighbour]; });
    if (static_cast<size_t>(count) < parameters_.threshold) short_of.push_back(position);
  }
  return short_of;
}

RosterHead Cohort::UnsignedHead() const {
  return {.terms = name_.terms, .size = name_.size, .root = name_.root, .certificate_pem = {}, .signature = {}};
}

RosterEntry Cohort::EntryOf(uint32_t position) const {
  return {.position = position, .advert = AdvertOf(position), .proof = tree_.ProofOf(position)};
}

Status Cohort::CheckDealt(uint32_t from, const DealtShares& dealt) const {
  std::vector<uint32_t> places;
  for (const SealedShares& shares : dealt.shares) {
    places.push_back(shares.to);
    if (shares.sealed.size() != kSealedSharesSize) {
      return InvalidArgument("the shares sealed for position {} have {} bytes, not {}", shares.to, shares.sealed.size(),
                             kSealedSharesSize);
    }
  }
  return CheckPlaces(fmt::format("what store '{}' dealt", StoreAt(from)), NeighboursOf(from), places);
}

SharesInbox Cohort::InboxOf(uint32_t position, const std::map<uint32_t, DealtShares>& dealt) const {
  SharesInbox inbox{.attempt = terms_.attempt, .shares = {}};
  for (const uint32_t neighbour : NeighboursOf(position)) {
    const auto from = dealt.find(neighbour);
    if (from == dealt.end()) continue;
    const SealedShares& shares = SharesFor(position, from->second);
    inbox.shares.push_back({.from = neighbour,
                            .sealed = shares.sealed,
                            .mask_commitment = shares.mask_commitment,
                            .seed_commitment = shares.seed_commitment});
  }
  return inbox;
}

std::vector<NeighbourConfirmation> Cohort::ConfirmationsFor(uint32_t position,
                                                            const std::map<uint32_t, Confirmation>& confirmed) const {
  std::vector<NeighbourConfirmation> confirmations;
  for (const uint32_t neighbour : NeighboursOf(position)) {
    const auto at = confirmed.find(neighbour);
    if (at != confirmed.end()) confirmations.push_back({.from = neighbour, .signature = at->second.signature});
  }
  return confirmations;
}

Status Cohort::CheckRevealed(uint32_t from, const std::vector<MemberStatus>& statuses,
                             const std::map<uint32_t, DealtShares>& dealt, const RevealedShares& revealed) const {
  AISLE_CHECK(statuses.size() == size());
  std::vector<uint32_t> owed;
  for (const uint32_t neighbour : NeighboursOf(from)) {
    if (KindFor(statuses[neighbour])) owed.push_back(neighbour);
  }
  std::vector<uint32_t> places;
  for (const RevealedShare& share : revealed.shares) places.push_back(share.of);
  AISLE_RETURN_IF_ERROR(CheckAmong(fmt::format("what store '{}' revealed", StoreAt(from)), owed, places));
  for (const RevealedShare& share : revealed.shares) {
    if (share.kind != *KindFor(statuses[share.of])) {
      return InvalidArgument("store '{}' revealed the wrong kind of share of position {}", StoreAt(from), share.of);
    }
    const auto dealer = dealt.find(share.of);
    AISLE_CHECK(dealer != dealt.end(), "position {} isn't absent and dealt nothing", share.of);
    const SealedShares& committed = SharesFor(from, dealer->second);
    const Digest& commitment = share.kind == ShareKind::kSeed ? committed.seed_commitment : committed.mask_commitment;
    if (ShareCommitment(name_, share.of, from, share.kind, share.share) != commitment) {
      return InvalidArgument("store '{}' revealed another share than store '{}' dealt to it", StoreAt(from),
                             StoreAt(share.of));
    }
    // A dealer and a holder who collude could have committed to something that is no share.
    AISLE_RETURN_IF_ERROR(Share::Parse(from + 1, share.share).status());
  }
  return OkStatus();
}

std::map<uint32_t, uint32_t> Cohort::WithoutSharesOf(const std::map<uint32_t, DealtShares>& dealt,
                                                     const std::map<uint32_t, RevealedShares>& revealed) const {
  std::map<uint32_t, uint32_t> without;
  for (const auto& [from, shares] : revealed) {
    for (const uint32_t neighbour : NeighboursOf(from)) {
      const bool given = std::ranges::binary_search(shares.shares, neighbour, {}, &RevealedShare::of);
      if (!given && dealt.contains(neighbour)) ++without[neighbour];
    }
  }
  return without;
}

Status VerifyAdvert(const Advert& advert, const Trust& trust) {
  AISLE_RETURN_IF_ERROR(CheckPublicKey("the channel key", advert.channel_key));
  AISLE_RETURN_IF_ERROR(CheckPublicKey("the mask key", advert.mask_key));
  return trust.verify_store(advert.certificate_pem, advert.store, kAdvertDomain, AdvertStatement(advert),
                            advert.signature);
}

Status VerifyDealt(const Cohort& cohort, uint32_t from, const DealtShares& dealt, const Trust& trust) {
  AISLE_RETURN_IF_ERROR(cohort.CheckDealt(from, dealt));
  const Advert& advert = cohort.AdvertOf(from);
  return trust.verify_store(advert.certificate_pem, advert.store, kDealtDomain,
                            DealtStatement(cohort.name(), from, dealt), dealt.signature);
}

Status VerifyConfirmation(const Cohort& cohort, uint32_t from, const Digest& survivors,
                          const Confirmation& confirmation, const Trust& trust) {
  const Advert& advert = cohort.AdvertOf(from);
  if (confirmation.survivors != survivors) {
    return InvalidArgument("store '{}' confirmed survivors {}; {} were asked about", advert.store,
                           confirmation.survivors.ShortHex(), survivors.ShortHex());
  }
  return trust.verify_store(advert.certificate_pem, advert.store, kSurvivorsDomain,
                            SurvivorsStatement(cohort.name(), survivors), confirmation.signature);
}

}  // namespace aisle::secagg
