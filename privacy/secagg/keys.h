// The keys of a cohort: what a store derives from its one secret, and what two stores derive from each other's public
// keys. HKDF-SHA256 with an `info` for each use. What exists before the roster is salted with the terms' digest, all
// else with the roster's root: no key of one cohort is ever a key of another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/crypto/x25519.h"
#include "base/digest.h"
#include "base/secret.h"
#include "base/status.h"
#include "privacy/secagg/mask.h"
#include "privacy/secagg/statements.h"

namespace aisle::secagg {

// Of a store's cohort secret, salted with the terms' digest.
SecretBytes ChannelPrivateKey(const SecretBytes& secret, const Digest& terms);  // X25519.
SecretBytes MaskPrivateKey(const SecretBytes& secret, const Digest& terms);     // X25519.
X25519Key ReadyKey(const SecretBytes& private_key);                             // Either of them.
SecretBytes SelfMaskSeed(const SecretBytes& secret, const Digest& terms);       // 32 bytes.
std::string CohortNonce(const SecretBytes& secret, const Digest& terms);        // kNonceSize bytes; public.

// Seed of the streams that shares and sealing nonces are drawn from.
SecretBytes DealingSeed(const SecretBytes& secret, const CohortName& cohort);

// Between stores `own` and `peer`: a key for each direction, from one agreement.
struct Channel {
  SecretBytes sealing;  // What `own` seals for `peer`.
  SecretBytes opening;  // What `peer` sealed for `own`. kChannelKeySize bytes.
};
inline constexpr size_t kChannelKeySize = 32;
// As X25519: InvalidArgument for a peer's key of low order.
StatusOr<Channel> AgreeOnChannel(const X25519Key& own_key, std::string_view peer_public, const CohortName& cohort,
                                 uint32_t own, uint32_t peer);

// The mask that stores `own` and `peer` share, as `own` adds it: the one with the lower position adds, the other
// subtracts. The same key whoever works it out. Errors as above.
StatusOr<Mask> PairMask(const X25519Key& own_key, std::string_view peer_public, const CohortName& cohort, uint32_t own,
                        uint32_t peer);

// The mask that a store adds on its own.
Mask SelfMask(const SecretBytes& seed, const CohortName& cohort, uint32_t position);

// InvalidArgument unless an X25519 public key is of the right size and not of low order: nobody can agree on anything
// with the others.
Status CheckPublicKey(std::string_view what, std::string_view key);

}  // namespace aisle::secagg
