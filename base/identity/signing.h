// Ed25519 signatures (RFC 8032) with domains, and what is signed with them: plans.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"

struct evp_pkey_st;

namespace aisle {

inline constexpr size_t kSignatureSize = 64;
inline constexpr size_t kVerifyKeySize = 32;
inline constexpr std::string_view kPlanDomain = "aisle/plan/v1";

// The public half. Immutable, cheap to copy, thread-safe.
class VerifyKey {
 public:
  static StatusOr<VerifyKey> FromBytes(std::string_view bytes);  // 32 raw bytes.
  static StatusOr<VerifyKey> FromPem(std::string_view pem);      // SubjectPublicKeyInfo.
  static StatusOr<VerifyKey> Load(const std::string& path);

  const std::string& bytes() const { return bytes_; }
  StatusOr<std::string> ToPem() const;
  // Unauthenticated unless `signature` is this key's over domain + '\0' + message.
  Status Verify(std::string_view domain, std::string_view message, std::string_view signature) const;
  bool operator==(const VerifyKey& other) const { return bytes_ == other.bytes_; }

 private:
  VerifyKey() = default;
  std::shared_ptr<evp_pkey_st> key_;
  std::string bytes_;
};

// The private half. Move-only. Thread-safe once made.
class SigningKey {
 public:
  static StatusOr<SigningKey> Generate(RandomSource& random);
  static StatusOr<SigningKey> FromSeed(const SecretBytes& seed);  // RFC 8032's 32-byte private key.
  static StatusOr<SigningKey> FromPem(const SecretBytes& pem);    // PKCS#8, unencrypted.
  static StatusOr<SigningKey> Load(const std::string& path);      // As ReadSecretFile.

  SigningKey(SigningKey&&) = default;
  SigningKey& operator=(SigningKey&&) = default;

  StatusOr<SecretBytes> ToPem() const;
  const VerifyKey& verify_key() const { return verify_key_; }
  // 64 bytes over domain + '\0' + message. A domain holds no '\0', and each use in the house has its own, starting with
  // "aisle/": a signature given for one purpose means nothing for another.
  StatusOr<std::string> Sign(std::string_view domain, std::string_view message) const;

 private:
  static StatusOr<SigningKey> FromHandle(std::shared_ptr<evp_pkey_st> key);
  SigningKey(std::shared_ptr<evp_pkey_st> key, VerifyKey verify_key)
      : key_(std::move(key)), verify_key_(std::move(verify_key)) {}
  std::shared_ptr<evp_pkey_st> key_;
  VerifyKey verify_key_;
};

// A plan is signed by the digest of its bundle's canonical bytes.
StatusOr<std::string> SignPlan(const SigningKey& key, const Digest& bundle);
// OK if any of `keys` signed the bundle; else Unauthenticated saying how many keys were tried.
Status VerifyPlan(std::span<const VerifyKey> keys, const Digest& bundle, std::string_view signature);

namespace signing_internal {
// Plain Ed25519 without a domain: for the RFC's known answers in the tests.
StatusOr<std::string> SignRaw(evp_pkey_st* key, std::string_view message);
StatusOr<std::string> SignRawWithSeed(const SecretBytes& seed, std::string_view message);
}  // namespace signing_internal

}  // namespace aisle
