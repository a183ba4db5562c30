// Sealing and keyed naming of small records: AES-256-GCM (SP 800-38D) and HMAC-SHA-256 (RFC 2104) with prepared keys.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

// AES-256-GCM under one key. A sealed text is nonce (12 bytes, random) | ciphertext | tag (16 bytes).
//
// Random 96-bit nonces are safe for 2^32 sealed texts per key (SP 800-38D, 8.3): derive a key per purpose with HKDF.
// Movable; not thread-safe: give each thread its own.
class Aead {
 public:
  static constexpr size_t kKeySize = 32;
  static constexpr size_t kNonceSize = 12;
  static constexpr size_t kTagSize = 16;
  static constexpr size_t kOverhead = kNonceSize + kTagSize;

  explicit Aead(const SecretBytes& key);  // kKeySize bytes, else it is our bug.
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // `associated` isn't part of the result but must be the same at opening: it ties the text to its place.
  std::string Seal(std::string_view plain, std::string_view associated, RandomSource& random) const;
  // DataLoss if the text is too short, was changed, was sealed under another key or belongs to another place.
  StatusOr<SecretBytes> Open(std::string_view sealed, std::string_view associated) const;
  // As Open, into `plain`, whose memory is used again: for loops over many records. On error `plain` is wiped.
  Status OpenInto(std::string_view sealed, std::string_view associated, SecretBytes& plain) const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// HMAC-SHA-256 under one key, several times faster for short texts than HmacSha256, which prepares the key each time.
// Movable; not thread-safe.
class Mac {
 public:
  explicit Mac(const SecretBytes& key);
  ~Mac();
  Mac(Mac&&) noexcept;
  Mac& operator=(Mac&&) noexcept;

  Digest Of(std::string_view text) const { return Of(text, {}); }
  Digest Of(std::string_view head, std::string_view tail) const;  // Of the two, one after the other.

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace aisle
