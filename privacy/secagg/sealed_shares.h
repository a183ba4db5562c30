// Shares of a store's two secrets on their way to one neighbour: sealed with AES-256-GCM under a key that only the two
// stores know, with commitments that hold the dealer to them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/crypto/aead.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/statements.h"

namespace aisle::secagg {

inline constexpr size_t kSealedSharesSize = 2 * kShareSize + Aead::kOverhead;
static_assert(kSealedSharesSize <= kSealedSizeMax);

// One share of each of a dealer's secrets. kShareSize bytes each.
struct HeldShares {
  SecretBytes mask;
  SecretBytes seed;
};

struct Passage {
  const CohortName& cohort;
  uint32_t from = 0;  // Positions.
  uint32_t to = 0;
};

// `sealing` and `opening` are the two ends' keys of this direction (AgreeOnChannel).
SealedShares SealShares(const Passage& passage, const SecretBytes& sealing, const HeldShares& shares,
                        RandomSource& random);

// At the other end. InvalidArgument or DataLoss unless the dealer sealed exactly this for exactly this passage, the
// shares are what is committed to, and each can be a share (Share::Parse).
StatusOr<HeldShares> OpenShares(const Passage& passage, const SecretBytes& opening, const ReceivedShares& received);

}  // namespace aisle::secagg
