#include "privacy/secagg/unmask.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/crypto/x25519.h"
#include "privacy/secagg/keys.h"
#include "privacy/secagg/member_state.h"
#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

// The first shares, as many as the threshold, of the secret that each position's status calls for. A share's point is
// the position that held it, plus one.
struct Collected {
  std::vector<uint32_t> points;
  std::vector<Share> shares;
};

StatusOr<std::vector<Collected>> Collect(const Transcript& transcript) {
  const Cohort& cohort = *transcript.cohort;
  std::vector<Collected> collected(cohort.size());
  for (const auto& [from, revealed] : transcript.revealed) {
    for (const RevealedShare& revealed_share : revealed.shares) {
      Collected& of = collected[revealed_share.of];
      if (of.points.size() == cohort.parameters().threshold) continue;
      AISLE_ASSIGN_OR_RETURN(Share share, Share::Parse(from + 1, revealed_share.share));
      of.points.push_back(share.x);
      of.shares.push_back(std::move(share));
    }
  }
  return collected;
}

// Stores whose holders are the same, as all are in a small cohort but for the stores themselves, share their weights.
class Rebuilder {
 public:
  StatusOr<SecretBytes> Rebuild(const Collected& collected) {
    auto at = weights_.find(collected.points);
    if (at == weights_.end()) {
      AISLE_ASSIGN_OR_RETURN(LagrangeWeights weights, LagrangeWeights::AtZero(collected.points));
      at = weights_.emplace(collected.points, std::move(weights)).first;
    }
    return at->second.Combine(collected.shares);
  }

 private:
  std::map<std::vector<uint32_t>, LagrangeWeights> weights_;
};

// Whether it is the secret that the dealer committed to.
bool IsGenuine(const Transcript& transcript, uint32_t position, ShareKind kind, const SecretBytes& secret) {
  const Cohort& cohort = *transcript.cohort;
  if (kind == ShareKind::kSeed) {
    const Digest digest = SeedDigest(cohort.name(), position, secret);
    return ConstantTimeEqual(digest.view(), transcript.dealt.at(position).seed_digest.view());
  }
  const StatusOr<std::string> public_key = X25519PublicKey(secret);
  return public_key.ok() && *public_key == cohort.AdvertOf(position).mask_key;
}

std::string NamesOf(const Cohort& cohort, const std::vector<uint32_t>& positions) {
  constexpr size_t kNamesMax = 10;
  std::string names;
  for (size_t i = 0; i < std::min(positions.size(), kNamesMax); ++i) {
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", cohort.StoreAt(positions[i]));
  }
  if (positions.size() > kNamesMax) names += fmt::format(" and {} more", positions.size() - kNamesMax);
  return names;
}

// The masks between a drop-out and the survivors among its neighbours, each as the survivor wears it, turned round.
Status TakeOutPairs(const Transcript& transcript, uint32_t dropout, const SecretBytes& mask_key,
                    std::vector<Mask>& masks) {
  const Cohort& cohort = *transcript.cohort;
  for (const uint32_t survivor : cohort.NeighboursOf(dropout)) {
    if (transcript.statuses[survivor] != MemberStatus::kSurvived) continue;
    // The drop-out would have worn it with the opposite sign: just what takes it out.
    AISLE_ASSIGN_OR_RETURN(Mask mask,
                           PairMask(mask_key, cohort.AdvertOf(survivor).mask_key, cohort.name(), dropout, survivor));
    masks.push_back(std::move(mask));
  }
  return OkStatus();
}

Mask Reversed(Mask mask) {
  mask.sign = mask.sign == MaskSign::kAdd ? MaskSign::kSubtract : MaskSign::kAdd;
  return mask;
}

}  // namespace

std::vector<uint32_t> StillHidden(const Transcript& transcript) {
  std::vector<uint32_t> shares(transcript.cohort->size());
  for (const auto& [from, revealed] : transcript.revealed) {
    for (const RevealedShare& share : revealed.shares) ++shares[share.of];
  }
  std::vector<uint32_t> hidden;
  for (uint32_t position = 0; position < shares.size(); ++position) {
    const bool needed = KindFor(transcript.statuses[position]).has_value();
    if (needed && shares[position] < transcript.cohort->parameters().threshold) hidden.push_back(position);
  }
  return hidden;
}

void RecoveredMasks::RemoveFrom(uint64_t first_coordinate, std::span<uint32_t> sum) const {
  ApplyMasks(self_masks_, first_coordinate, sum);
  ApplyMasks(dropout_masks_, first_coordinate, sum);
}

StatusOr<RecoveredMasks> Reconstruct(const Transcript& transcript) {
  const Cohort& cohort = *transcript.cohort;
  AISLE_CHECK(transcript.statuses.size() == cohort.size());
  if (const auto hidden = StillHidden(transcript); !hidden.empty()) {
    return FailedPrecondition("fewer than {} shares came of the secrets of {} stores: {}",
                              cohort.parameters().threshold, hidden.size(), NamesOf(cohort, hidden));
  }
  AISLE_ASSIGN_OR_RETURN(const std::vector<Collected> collected, Collect(transcript));
  RecoveredMasks masks;
  Rebuilder rebuilder;
  std::vector<uint32_t> frauds;
  for (uint32_t position = 0; position < cohort.size(); ++position) {
    const std::optional<ShareKind> kind = KindFor(transcript.statuses[position]);
    if (!kind) continue;
    const StatusOr<SecretBytes> secret = rebuilder.Rebuild(collected[position]);
    if (!secret.ok() || !IsGenuine(transcript, position, *kind, *secret)) {
      frauds.push_back(position);
    } else if (*kind == ShareKind::kSeed) {
      masks.self_masks_.push_back(Reversed(SelfMask(*secret, cohort.name(), position)));
    } else {
      AISLE_RETURN_IF_ERROR(TakeOutPairs(transcript, position, *secret, masks.dropout_masks_));
    }
  }
  if (frauds.empty()) return masks;
  return DataLoss("{} stores dealt shares that don't make the secret they committed to: {}", frauds.size(),
                  NamesOf(cohort, frauds));
}

}  // namespace aisle::secagg
