// The secure sum's canonical bytes: of everything that is signed, hashed or committed to. Every one begins with a
// domain of its own and names the cohort, so that nothing said in one cohort, step or place means anything in another.
//
// Integers are little-endian, strings carry their length in four bytes before them (base/codec.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/secret.h"
#include "base/secure_sum.h"

namespace aisle::secagg {

// Domains of signatures (SignStatement).
inline constexpr std::string_view kAdvertDomain = "aisle/secagg/advert/v1";
inline constexpr std::string_view kRosterDomain = "aisle/secagg/roster/v1";
inline constexpr std::string_view kDealtDomain = "aisle/secagg/dealt/v1";
inline constexpr std::string_view kSurvivorsDomain = "aisle/secagg/survivors/v1";

// What all stores of a cohort must agree on: SHA-256 of every field of the terms.
Digest DigestOf(const CohortTerms& terms);

// Which roster of which cohort: all that is said from step 2 on is bound to it.
struct CohortName {
  Digest terms;
  Digest root;        // Of the roster.
  uint32_t size = 0;  // Stores.
  bool operator==(const CohortName&) const = default;
};

// What a store signs in step 1: all of its advert but the signature.
std::string AdvertStatement(const Advert& advert);
// The advert's leaf in the roster's tree: LeafHash of its statement and signature, so that every byte of it counts.
Digest LeafOf(const Advert& advert);

// What headquarters signs: terms, size and root.
std::string RosterStatement(const CohortName& cohort);
CohortName NameOf(const RosterHead& head);

// The seed of the neighbour graph. The root in it commits to every store's nonce.
Digest GraphSeed(const CohortName& cohort);

// What a store signs in step 2: who deals, every sealed share, every commitment.
std::string DealtStatement(const CohortName& cohort, uint32_t from, const DealtShares& dealt);

// Commitments of the dealer `from` to the share of one kind for `to`, and to its seed whole. A share is 305 uniform
// bits, a seed 256: their hashes hide them.
Digest ShareCommitment(const CohortName& cohort, uint32_t from, uint32_t to, ShareKind kind, std::string_view share);
Digest SeedDigest(const CohortName& cohort, uint32_t from, const SecretBytes& seed);

// Merkle root over (position, status).
Digest SurvivorsRoot(std::span<const MemberStatus> statuses);
// What a store signs in step 4.
std::string SurvivorsStatement(const CohortName& cohort, const Digest& survivors);

// What an inbox is recognised by when it comes again.
Digest DigestOf(const SharesInbox& inbox);

}  // namespace aisle::secagg
