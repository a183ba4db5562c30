#include "privacy/secagg/unmask.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/crypto/aes_ctr.h"
#include "base/crypto/x25519.h"
#include "privacy/secagg/keys.h"
#include "privacy/secagg/member_state.h"
#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

constexpr int kChoicesMax = 256;

// Shares of the secret that each position's status calls for. A share's point is the position that held it, plus one.
using Shares = std::vector<Share>;

StatusOr<std::vector<Shares>> Collect(const Transcript& transcript) {
  std::vector<Shares> collected(transcript.cohort->size());
  for (const auto& [from, revealed] : transcript.revealed) {
    for (const RevealedShare& revealed_share : revealed.shares) {
      AISLE_ASSIGN_OR_RETURN(Share share, Share::Parse(from + 1, revealed_share.share));
      collected[revealed_share.of].push_back(std::move(share));
    }
  }
  return collected;
}

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

// Rebuilds secrets, and knows them when it has them.
class Rebuilder {
 public:
  explicit Rebuilder(const Transcript& transcript)
      : transcript_(transcript), threshold_(transcript.cohort->parameters().threshold) {}

  // From at least the threshold's number of shares; none if they are of no secret that the dealer committed to.
  std::optional<SecretBytes> Rebuild(uint32_t position, ShareKind kind, const Shares& shares) {
    StatusOr<SecretBytes> secret = FromFirst(shares);
    if (secret.ok() && IsGenuine(transcript_, position, kind, *secret)) return *std::move(secret);
    return LookFor(position, kind, shares);
  }

 private:
  static std::vector<uint32_t> PointsOf(std::span<const Share> shares) {
    std::vector<uint32_t> points;
    for (const Share& share : shares) points.push_back(share.x);
    return points;
  }

  // Stores whose holders are the same, as all are in a small cohort but for the stores themselves, share their weights.
  StatusOr<SecretBytes> FromFirst(const Shares& shares) {
    const auto first = std::span(shares).first(threshold_);
    const std::vector<uint32_t> points = PointsOf(first);
    auto at = weights_.find(points);
    if (at == weights_.end()) {
      AISLE_ASSIGN_OR_RETURN(LagrangeWeights weights, LagrangeWeights::AtZero(points));
      at = weights_.emplace(points, std::move(weights)).first;
    }
    return at->second.Combine(first);
  }

  // Some are wrong. Whichever choice is right, the secret is the same: what is committed to is one.
  std::optional<SecretBytes> LookFor(uint32_t position, ShareKind kind, const Shares& shares) const {
    AesCtrStream choices(SecretBytes(kMaskKeySize), "secagg/right-shares");  // No secret: any order will do.
    std::vector<size_t> order(shares.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (int choice = 0; choice < kChoicesMax && shares.size() > threshold_; ++choice) {
      Shares chosen;
      for (size_t i = 0; i < threshold_; ++i) {
        std::swap(order[i], order[i + choices.Draw64() % (order.size() - i)]);
        chosen.emplace_back(shares[order[i]].x, shares[order[i]].y);
      }
      const StatusOr<LagrangeWeights> weights = LagrangeWeights::AtZero(PointsOf(chosen));
      if (!weights.ok()) return std::nullopt;
      StatusOr<SecretBytes> secret = weights->Combine(chosen);
      if (!secret.ok() || !IsGenuine(transcript_, position, kind, *secret)) continue;
      return *std::move(secret);
    }
    return std::nullopt;
  }

  const Transcript& transcript_;
  const uint32_t threshold_;
  std::map<std::vector<uint32_t>, LagrangeWeights> weights_;
};

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
Status TakeOutPairs(const Transcript& transcript, uint32_t dropout, const SecretBytes& secret,
                    std::vector<Mask>& masks) {
  const X25519Key mask_key = ReadyKey(secret);
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
  AISLE_ASSIGN_OR_RETURN(const std::vector<Shares> collected, Collect(transcript));
  RecoveredMasks masks;
  Rebuilder rebuilder(transcript);
  std::vector<uint32_t> frauds;
  for (uint32_t position = 0; position < cohort.size(); ++position) {
    const std::optional<ShareKind> kind = KindFor(transcript.statuses[position]);
    if (!kind) continue;
    const std::optional<SecretBytes> secret = rebuilder.Rebuild(position, *kind, collected[position]);
    if (!secret) {
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

std::vector<StoreId> WrongDealers(const Transcript& transcript) {
  std::vector<StoreId> dealers;
  const StatusOr<std::vector<Shares>> collected = Collect(transcript);
  if (!collected.ok()) return dealers;
  Rebuilder rebuilder(transcript);
  for (uint32_t position = 0; position < transcript.cohort->size(); ++position) {
    const std::optional<ShareKind> kind = KindFor(transcript.statuses[position]);
    const Shares& shares = (*collected)[position];
    if (!kind || shares.size() < transcript.cohort->parameters().threshold) continue;
    if (!rebuilder.Rebuild(position, *kind, shares)) dealers.push_back(transcript.cohort->StoreAt(position));
  }
  return dealers;
}

}  // namespace aisle::secagg
