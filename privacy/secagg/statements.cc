#include "privacy/secagg/statements.h"

#include <vector>

#include "base/codec.h"
#include "privacy/secagg/merkle.h"

namespace aisle::secagg {
namespace {

// Domains of hashes.
constexpr std::string_view kTermsDomain = "aisle/secagg/terms/v1";
constexpr std::string_view kGraphDomain = "aisle/secagg/graph/v1";
constexpr std::string_view kShareDomain = "aisle/secagg/share/v1";
constexpr std::string_view kSeedDomain = "aisle/secagg/seed/v1";
constexpr std::string_view kInboxDomain = "aisle/secagg/inbox/v1";

ByteWriter& Put(ByteWriter& writer, const CohortName& cohort) {
  return writer.Put(cohort.terms).Put(cohort.root).U32(cohort.size);
}

// SHA-256 of head | secret, without a copy of the secret.
Digest HashOf(const ByteWriter& head, std::string_view secret) {
  Sha256 hash;
  hash.Update(head.bytes());
  hash.Update(secret);
  return hash.Finish();
}

}  // namespace

Digest DigestOf(const CohortTerms& terms) {
  ByteWriter writer;
  writer.String(kTermsDomain).String(terms.round.job.str()).U32(terms.round.number).U32(terms.attempt);
  writer.Put(terms.plan).U64(terms.length).U32(terms.cohort_min);
  writer.U32(terms.corrupt_permille).U32(terms.dropout_permille);
  return Sha256::Of(writer.bytes());
}

std::string AdvertStatement(const Advert& advert) {
  ByteWriter writer;
  writer.Put(advert.terms).String(advert.store.str()).String(advert.certificate_pem);
  writer.String(advert.channel_key).String(advert.mask_key).String(advert.nonce);
  return writer.Take();
}

Digest LeafOf(const Advert& advert) {
  ByteWriter writer;
  writer.String(kAdvertDomain).String(AdvertStatement(advert)).String(advert.signature);
  return LeafHash(writer.bytes());
}

std::string RosterStatement(const CohortName& cohort) {
  ByteWriter writer;
  return Put(writer, cohort).Take();
}

CohortName NameOf(const RosterHead& head) { return {.terms = head.terms, .root = head.root, .size = head.size}; }

Digest GraphSeed(const CohortName& cohort) {
  ByteWriter writer;
  writer.String(kGraphDomain);
  return Sha256::Of(Put(writer, cohort).bytes());
}

std::string DealtStatement(const CohortName& cohort, uint32_t from, const DealtShares& dealt) {
  ByteWriter writer;
  Put(writer, cohort).U32(from).U32(static_cast<uint32_t>(dealt.shares.size()));
  for (const SealedShares& shares : dealt.shares) {
    writer.U32(shares.to).String(shares.sealed).Put(shares.mask_commitment).Put(shares.seed_commitment);
  }
  return writer.Put(dealt.seed_digest).Take();
}

Digest ShareCommitment(const CohortName& cohort, uint32_t from, uint32_t to, ShareKind kind, std::string_view share) {
  ByteWriter writer;
  writer.String(kShareDomain);
  Put(writer, cohort).U32(from).U32(to).U8(static_cast<uint8_t>(kind));
  return HashOf(writer, share);
}

Digest SeedDigest(const CohortName& cohort, uint32_t from, const SecretBytes& seed) {
  ByteWriter writer;
  writer.String(kSeedDomain);
  Put(writer, cohort).U32(from);
  return HashOf(writer, seed.Reveal());
}

Digest SurvivorsRoot(std::span<const MemberStatus> statuses) {
  std::vector<Digest> leaves;
  leaves.reserve(statuses.size());
  for (uint32_t position = 0; position < statuses.size(); ++position) {
    leaves.push_back(LeafHash(ByteWriter().U32(position).U8(static_cast<uint8_t>(statuses[position])).bytes()));
  }
  return MerkleRoot(leaves);
}

std::string SurvivorsStatement(const CohortName& cohort, const Digest& survivors) {
  ByteWriter writer;
  return Put(writer, cohort).Put(survivors).Take();
}

Digest DigestOf(const SharesInbox& inbox) {
  ByteWriter writer;
  writer.String(kInboxDomain).U32(inbox.attempt).U32(static_cast<uint32_t>(inbox.shares.size()));
  for (const ReceivedShares& shares : inbox.shares) {
    writer.U32(shares.from).String(shares.sealed).Put(shares.mask_commitment).Put(shares.seed_commitment);
  }
  return Sha256::Of(writer.bytes());
}

}  // namespace aisle::secagg
