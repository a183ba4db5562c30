// Diffie-Hellman on Curve25519 (RFC 7748): two parties who each know their own private key and the other's public key
// reach one secret that nobody else does.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"
#include "base/status.h"

struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace aisle {

inline constexpr size_t kX25519Size = 32;  // Bytes of a private key, a public key and a shared secret.

// The public key that belongs to `private_key`: any kX25519Size bytes, since X25519 itself sets and clears the bits
// that must be so (RFC 7748, section 5). InvalidArgument for any other size.
StatusOr<std::string> X25519PublicKey(const SecretBytes& private_key);

// A private key made ready once, for agreeing with many: making one ready costs nearly as much as an agreement. Cheap
// to copy. Its const functions are thread-safe.
class X25519Key {
 public:
  // As X25519PublicKey.
  static StatusOr<X25519Key> FromBytes(const SecretBytes& private_key);
  std::string PublicKey() const;
  // As X25519.
  StatusOr<SecretBytes> AgreeWith(std::string_view peer_public_key) const;

 private:
  X25519Key(std::shared_ptr<evp_pkey_st> key, std::shared_ptr<evp_pkey_ctx_st> ready)
      : key_(std::move(key)), ready_(std::move(ready)) {}
  std::shared_ptr<evp_pkey_st> key_;        // OpenSSL wipes it.
  std::shared_ptr<evp_pkey_ctx_st> ready_;  // To agree; copied for each use and never changed.
};

// Whether `public_key`, kX25519Size bytes, is a point of low order: whose secret with every private key is zero (RFC
// 7748, section 6.1). There are few, so this takes no agreement to find out.
bool HasLowOrder(std::string_view public_key);

// The shared secret, kX25519Size bytes. It is a point of the curve and not uniformly random: derive keys from it with
// HKDF, naming both public keys.
// InvalidArgument for a wrong size, or for a peer's key of low order, whose secret would be zero whatever our key is
// (RFC 7748, section 6.1): such a peer chooses the key for both sides.
StatusOr<SecretBytes> X25519(const SecretBytes& private_key, std::string_view peer_public_key);

}  // namespace aisle
