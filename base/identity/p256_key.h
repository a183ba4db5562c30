// A public key on P-256 made ready once, for checking many signatures: making it ready out of a certificate takes
// OpenSSL 3.0 three times as long as checking one.
#pragma once

#include <memory>
#include <string_view>

#include "base/digest.h"
#include "base/status.h"

struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace aisle {

// DER of a SubjectPublicKeyInfo that names P-256 and holds an uncompressed point (RFC 5480): this, then the point's two
// coordinates of 32 bytes. The one form that keys of the chain are written in.
inline constexpr std::string_view kP256InfoPrefix(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04", 27);
inline constexpr size_t kP256InfoSize = kP256InfoPrefix.size() + 64;

// Immutable, cheap to copy, thread-safe.
class P256Key {
 public:
  // InvalidArgument unless `info` has the form above and the point is on the curve.
  static StatusOr<P256Key> FromInfo(std::string_view info);
  // Shares a key that CheckP256 (openssl.h) accepts.
  static StatusOr<P256Key> Of(evp_pkey_st* key);

  // Whether `signature`, DER and nothing else, is this key's of what has that SHA-256.
  bool HasSigned(const Digest& digest, std::string_view signature) const;

 private:
  explicit P256Key(std::shared_ptr<evp_pkey_ctx_st> ready) : ready_(std::move(ready)) {}
  std::shared_ptr<evp_pkey_ctx_st> ready_;  // To verify; copied for each use and never changed.
};

}  // namespace aisle
