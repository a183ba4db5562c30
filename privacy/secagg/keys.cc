#include "privacy/secagg/keys.h"

#include <algorithm>

#include "base/check.h"
#include "base/codec.h"

namespace aisle::secagg {
namespace {

constexpr size_t kKeySize = 32;

SecretBytes Derive(const SecretBytes& key, const Digest& salt, std::string_view info) {
  return HkdfSha256(key, salt.view(), info, kKeySize);
}

std::string Between(std::string_view domain, uint32_t a, uint32_t b) {
  return ByteWriter().Raw(domain).U32(a).U32(b).Take();
}

}  // namespace

SecretBytes ChannelPrivateKey(const SecretBytes& secret, const Digest& terms) {
  return Derive(secret, terms, "aisle/secagg/secret/channel/v1");
}

SecretBytes MaskPrivateKey(const SecretBytes& secret, const Digest& terms) {
  return Derive(secret, terms, "aisle/secagg/secret/mask/v1");
}

X25519Key ReadyKey(const SecretBytes& private_key) {
  StatusOr<X25519Key> key = X25519Key::FromBytes(private_key);
  AISLE_CHECK(key.ok(), "{}", MessageOf(key.status()));
  return *std::move(key);
}

SecretBytes SelfMaskSeed(const SecretBytes& secret, const Digest& terms) {
  return Derive(secret, terms, "aisle/secagg/secret/seed/v1");
}

std::string CohortNonce(const SecretBytes& secret, const Digest& terms) {
  return std::string(Derive(secret, terms, "aisle/secagg/secret/nonce/v1").Reveal());
}

SecretBytes DealingSeed(const SecretBytes& secret, const CohortName& cohort) {
  return Derive(secret, cohort.root, "aisle/secagg/secret/dealing/v1");
}

StatusOr<Channel> AgreeOnChannel(const X25519Key& own_key, std::string_view peer_public, const CohortName& cohort,
                                 uint32_t own, uint32_t peer) {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes shared, own_key.AgreeWith(peer_public));
  return Channel{.sealing = Derive(shared, cohort.root, Between("aisle/secagg/channel/v1", own, peer)),
                 .opening = Derive(shared, cohort.root, Between("aisle/secagg/channel/v1", peer, own))};
}

StatusOr<Mask> PairMask(const X25519Key& own_key, std::string_view peer_public, const CohortName& cohort, uint32_t own,
                        uint32_t peer) {
  const std::string info = Between("aisle/secagg/pair/v1", std::min(own, peer), std::max(own, peer));
  AISLE_ASSIGN_OR_RETURN(const SecretBytes shared, own_key.AgreeWith(peer_public));
  return Mask{.key = Derive(shared, cohort.root, info), .sign = own < peer ? MaskSign::kAdd : MaskSign::kSubtract};
}

Mask SelfMask(const SecretBytes& seed, const CohortName& cohort, uint32_t position) {
  return {.key = Derive(seed, cohort.root, ByteWriter().Raw("aisle/secagg/self/v1").U32(position).bytes()),
          .sign = MaskSign::kAdd};
}

Status CheckPublicKey(std::string_view what, std::string_view key) {
  if (key.size() != kX25519Size) {
    return InvalidArgument("{}: an X25519 public key has {} bytes, not {}", what, kX25519Size, key.size());
  }
  if (HasLowOrder(key)) {
    return InvalidArgument("{} is a point of low order: no secret can be shared with it", what);
  }
  return OkStatus();
}

}  // namespace aisle::secagg
