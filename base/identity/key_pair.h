// A P-256 key pair for TLS, and the certificate request that proves possession of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/secret.h"
#include "base/status.h"

struct evp_pkey_st;

namespace aisle {

// Move-only; the private half never leaves as anything but SecretBytes or a file of mode 0600. Thread-safe once made.
class KeyPair {
 public:
  // Drawn by OpenSSL's private DRBG.
  static StatusOr<KeyPair> Generate();
  // PKCS#8 or SEC 1, unencrypted. InvalidArgument for anything but one P-256 key.
  static StatusOr<KeyPair> FromPem(const SecretBytes& pem);
  static StatusOr<KeyPair> Load(const std::string& path);  // As ReadSecretFile.

  KeyPair(KeyPair&&) = default;
  KeyPair& operator=(KeyPair&&) = default;
  KeyPair Clone() const { return KeyPair(*this); }
  // PKCS#8. Written once for a key and all its clones: OpenSSL takes as long over it as over several signatures.
  StatusOr<SecretBytes> ToPem() const;
  Status SaveTo(const std::string& path) const;  // Durably, mode 0600.
  // SHA-256 of the public half (DER SubjectPublicKeyInfo): the key's name.
  const Digest& digest() const { return digest_; }
  evp_pkey_st* handle() const { return key_.get(); }  // For base/identity and base/net only.

 private:
  struct Written;
  KeyPair(const KeyPair&) = default;
  KeyPair(std::shared_ptr<evp_pkey_st> key, const Digest& digest);
  std::shared_ptr<evp_pkey_st> key_;
  Digest digest_;
  std::shared_ptr<Written> written_;
};

inline constexpr size_t kRequestSizeMax = 16 << 10;

// A PKCS#10 request over `key`, PEM. Its subject is empty: the authority decides the name.
StatusOr<std::string> MakeCsr(const KeyPair& key);

// The public key in a request whose size, signature and key type (P-256) are all in order.
struct RequestedKey {
  std::shared_ptr<evp_pkey_st> key;  // For base/identity only.
  Digest digest;                     // As KeyPair::digest.
};
// InvalidArgument says what isn't.
StatusOr<RequestedKey> ReadCsr(std::string_view csr_pem);
StatusOr<Digest> KeyOfCsr(std::string_view csr_pem);  // Its digest, after the same checks.

}  // namespace aisle
