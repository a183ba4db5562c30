// What a store and headquarters say to each other in the secure sum, as values (Bell et al. 2020, SecAgg+; Bonawitz et
// al. 2017, figure 4). Plain data: what it means, and who checks what, is in privacy/secagg and docs/secure-sum.md;
// proto/convert makes these of wire messages.
//
// A cohort is one try of one round's sum. Its stores stand in ascending order of their ids: a store's place there is
// its position, from 0.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"

namespace aisle {

inline constexpr uint32_t kCohortSizeMax = 20'000;
inline constexpr uint32_t kNeighboursMax = 256;
inline constexpr uint32_t kCohortAttemptsMax = 16;
inline constexpr size_t kNonceSize = 32;       // Bytes.
inline constexpr size_t kPublicKeySize = 32;   // X25519.
inline constexpr size_t kShareSize = 40;       // One share of one secret: five limbs of 8 bytes.
inline constexpr size_t kSealedSizeMax = 256;  // Two shares, sealed.

// What every store of a cohort must agree on, each from what it knows itself. Everything said in a cohort is bound to
// the digest of these, so nothing said in one means anything in another.
struct CohortTerms {
  RoundId round;
  uint32_t attempt = 1;           // In [1, kCohortAttemptsMax]: a cohort that can't be finished is formed anew.
  Digest plan;                    // Of the plan's bundle.
  uint64_t length = 0;            // Coordinates of the vector.
  uint32_t cohort_min = 0;        // Fewer survivors than this are never unmasked. At least 2.
  uint32_t corrupt_permille = 0;  // Assumed at most: stores that collude with headquarters …
  uint32_t dropout_permille = 0;  // … and stores that vanish while the sum is made.
  bool operator==(const CohortTerms&) const = default;
};

// Step 1. A store's ephemeral keys for this cohort, signed with the key of its certificate.
struct Advert {
  StoreId store;
  std::string certificate_pem;
  std::string channel_key;  // X25519, 32 bytes: seals shares on their way to neighbours.
  std::string mask_key;     // X25519, 32 bytes: agrees on pairwise masks.
  std::string nonce;        // 32 bytes, the store's part in choosing the graph.
  Digest terms;             // Of the store's own CohortTerms.
  std::string signature;
  bool operator==(const Advert&) const = default;
};

// The roster: a Merkle tree whose leaves are all adverts in order of position, signed by headquarters.
struct RosterHead {
  Digest terms;
  uint32_t size = 0;  // Stores in the cohort.
  Digest root;
  std::string certificate_pem;  // The coordinator's.
  std::string signature;
  bool operator==(const RosterHead&) const = default;
};
struct RosterEntry {
  uint32_t position = 0;
  Advert advert;
  std::vector<Digest> proof;  // That the advert is at this position of the tree.
  bool operator==(const RosterEntry&) const = default;
};

// Step 2. Shares of a store's two secrets, one of each for every neighbour.
struct SealedShares {
  uint32_t to = 0;         // Position.
  std::string sealed;      // AES-256-GCM: the share of the mask key, then that of the self-mask's seed.
  Digest mask_commitment;  // To the one …
  Digest seed_commitment;  // … and to the other.
  bool operator==(const SealedShares&) const = default;
};
struct DealtShares {
  std::vector<SealedShares> shares;  // One per neighbour, by position.
  Digest seed_digest;                // Commits to the seed itself; the mask key's public half commits to that.
  std::string signature;
  bool operator==(const DealtShares&) const = default;
};
// What a neighbour dealt to this store.
struct ReceivedShares {
  uint32_t from = 0;  // Position.
  std::string sealed;
  Digest mask_commitment;
  Digest seed_commitment;
  bool operator==(const ReceivedShares&) const = default;
};

// Step 4. How far each store of the cohort came.
enum class MemberStatus : uint8_t {
  kAbsent = 0,    // It dealt no shares: nobody's vector wears a mask of its.
  kDropped = 1,   // It dealt shares, but its vector isn't in the sum.
  kSurvived = 2,  // Its vector is in the sum.
};
struct Confirmation {
  Digest survivors;       // Merkle root over the statuses, by position.
  std::string signature;  // Over it, by the key of the store's certificate.
  bool operator==(const Confirmation&) const = default;
};

// Step 5. For each neighbour one share of one secret, never of both.
enum class ShareKind : uint8_t {
  kSeed = 1,     // Of the self-mask's seed: the neighbour survived.
  kMaskKey = 2,  // Of the mask key: the neighbour dropped out.
};
struct RevealedShare {
  uint32_t of = 0;  // The dealer's position.
  ShareKind kind = ShareKind::kSeed;
  std::string share;  // kShareSize bytes.
  bool operator==(const RevealedShare&) const = default;
};
struct RevealedShares {
  std::vector<RevealedShare> shares;  // By position.
  bool operator==(const RevealedShares&) const = default;
};

// What a store says at each step but the third, whose answer is the upload of its masked vector.
using SumMessage = std::variant<Advert, DealtShares, Confirmation, RevealedShares>;
struct SumReport {
  RoundId round;
  uint32_t attempt = 1;
  SumMessage message;
  bool operator==(const SumReport&) const = default;
};

// What headquarters asks for at each step. A store answers from what it knows itself, or refuses.
struct AdvertiseInstruction {
  RoundId round;
  uint32_t attempt = 1;
  absl::Time deadline;  // By headquarters' clock, as everywhere.
  bool operator==(const AdvertiseInstruction&) const = default;
};
struct ShareInstruction {
  RoundId round;
  uint32_t attempt = 1;
  absl::Time deadline;
  RosterHead roster;
  RosterEntry own;
  std::vector<RosterEntry> neighbours;  // By position.
  bool operator==(const ShareInstruction&) const = default;
};
struct SharesInbox {  // With the instruction to upload.
  uint32_t attempt = 1;
  std::vector<ReceivedShares> shares;  // By position: only neighbours that dealt.
  bool operator==(const SharesInbox&) const = default;
};
struct ConfirmInstruction {
  RoundId round;
  uint32_t attempt = 1;
  absl::Time deadline;
  std::vector<MemberStatus> statuses;  // Of the whole cohort, by position.
  bool operator==(const ConfirmInstruction&) const = default;
};
struct NeighbourConfirmation {
  uint32_t from = 0;  // Position.
  std::string signature;
  bool operator==(const NeighbourConfirmation&) const = default;
};
struct UnmaskInstruction {
  RoundId round;
  uint32_t attempt = 1;
  absl::Time deadline;
  Digest survivors;                                  // The root that they signed.
  std::vector<NeighbourConfirmation> confirmations;  // Of this store's neighbours, by position.
  bool operator==(const UnmaskInstruction&) const = default;
};

}  // namespace aisle
