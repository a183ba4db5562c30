#include "privacy/secagg/sealed_shares.h"

#include <algorithm>
#include <string>

#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

static_assert(Share::kSize == kShareSize);

Digest CommitmentTo(const Passage& passage, ShareKind kind, const SecretBytes& share) {
  return ShareCommitment(passage.cohort, passage.from, passage.to, kind, share.Reveal());
}

Status CheckShare(const Passage& passage, ShareKind kind, const SecretBytes& share, const Digest& commitment) {
  if (!ConstantTimeEqual(CommitmentTo(passage, kind, share).view(), commitment.view())) {
    return InvalidArgument("the share of its {} isn't the one that it committed to",
                           kind == ShareKind::kSeed ? "self mask's seed" : "mask key");
  }
  return Share::Parse(passage.to + 1, share.Reveal()).status();
}

}  // namespace

SealedShares SealShares(const Passage& passage, const SecretBytes& sealing, const HeldShares& shares,
                        RandomSource& random) {
  SecretBytes plain(2 * kShareSize);
  std::ranges::copy(shares.mask.Reveal(), plain.Mutable().begin());
  std::ranges::copy(shares.seed.Reveal(), plain.Mutable().begin() + kShareSize);
  // The key is of this passage alone, so nothing needs to be associated.
  return {.to = passage.to,
          .sealed = Aead(sealing).Seal(plain.Reveal(), "", random),
          .mask_commitment = CommitmentTo(passage, ShareKind::kMaskKey, shares.mask),
          .seed_commitment = CommitmentTo(passage, ShareKind::kSeed, shares.seed)};
}

StatusOr<HeldShares> OpenShares(const Passage& passage, const SecretBytes& opening, const ReceivedShares& received) {
  if (received.sealed.size() != kSealedSharesSize) {
    return InvalidArgument("sealed shares have {} bytes, not {}", received.sealed.size(), kSealedSharesSize);
  }
  AISLE_ASSIGN_OR_RETURN(const SecretBytes plain, Aead(opening).Open(received.sealed, ""));
  HeldShares shares{.mask = SecretBytes::CopyOf(plain.Reveal().substr(0, kShareSize)),
                    .seed = SecretBytes::CopyOf(plain.Reveal().substr(kShareSize))};
  AISLE_RETURN_IF_ERROR(CheckShare(passage, ShareKind::kMaskKey, shares.mask, received.mask_commitment));
  AISLE_RETURN_IF_ERROR(CheckShare(passage, ShareKind::kSeed, shares.seed, received.seed_commitment));
  return shares;
}

}  // namespace aisle::secagg
