#include "base/identity/signing.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "base/check.h"
#include "base/identity/openssl.h"
#include "base/identity/secret_file.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

using openssl::Failed;
using openssl::Malformed;

constexpr size_t kSeedSize = 32;
constexpr size_t kPublicPemSizeMax = 4 << 10;

std::string Separated(std::string_view domain, std::string_view message) {
  AISLE_CHECK(!domain.empty() && domain.find('\0') == std::string_view::npos, "a signature's domain is a plain text");
  std::string bytes;
  bytes.reserve(domain.size() + 1 + message.size());
  bytes.append(domain).append(1, '\0').append(message);
  return bytes;
}

StatusOr<std::string> RawPublicKey(EVP_PKEY* key) {
  std::array<unsigned char, kVerifyKeySize> raw{};
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 || size != raw.size()) {
    return Failed("read an Ed25519 public key");
  }
  return std::string(reinterpret_cast<const char*>(raw.data()), size);
}

}  // namespace

StatusOr<VerifyKey> VerifyKey::FromBytes(std::string_view bytes) {
  if (bytes.size() != kVerifyKeySize) {
    return InvalidArgument("an Ed25519 public key has {} bytes, not {}", kVerifyKeySize, bytes.size());
  }
  VerifyKey key;
  key.key_.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, openssl::Bytes(bytes), bytes.size()),
                 EVP_PKEY_free);
  if (key.key_ == nullptr) return Malformed("no Ed25519 public key");
  key.bytes_ = bytes;
  return key;
}

StatusOr<VerifyKey> VerifyKey::FromPem(std::string_view pem) {
  ERR_clear_error();
  const openssl::BioPtr reader = openssl::ReaderOf(pem);
  if (reader == nullptr) return Failed("read from memory");
  const openssl::KeyPtr key(PEM_read_bio_PUBKEY(reader.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Malformed("no public key in PEM");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return InvalidArgument("the public key is not Ed25519");
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, RawPublicKey(key.get()));
  return FromBytes(bytes);
}

StatusOr<VerifyKey> VerifyKey::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kPublicPemSizeMax));
  StatusOr<VerifyKey> key = FromPem(pem);
  if (!key.ok()) return Annotate(key.status(), path);
  return key;
}

StatusOr<std::string> VerifyKey::ToPem() const {
  const openssl::BioPtr writer(BIO_new(BIO_s_mem()));
  if (writer == nullptr || PEM_write_bio_PUBKEY(writer.get(), key_.get()) != 1) return Failed("write a public key");
  return std::string(openssl::Written(writer.get()));
}

Status VerifyKey::Verify(std::string_view domain, std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureSize) {
    return Unauthenticated("a signature has {} bytes, not {}", kSignatureSize, signature.size());
  }
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1) {
    return Failed("begin to verify");
  }
  const std::string bytes = Separated(domain, message);
  const int verdict =
      EVP_DigestVerify(context.get(), openssl::Bytes(signature), signature.size(), openssl::Bytes(bytes), bytes.size());
  ERR_clear_error();
  if (verdict != 1)
    return Unauthenticated("the signature for {} is not by key {}", domain, ToHex(bytes_).substr(0, 12));
  return OkStatus();
}

StatusOr<SigningKey> SigningKey::Generate(RandomSource& random) { return FromSeed(DrawKey(random)); }

StatusOr<SigningKey> SigningKey::FromSeed(const SecretBytes& seed) {
  if (seed.size() != kSeedSize) return InvalidArgument("an Ed25519 seed has {} bytes, not {}", kSeedSize, seed.size());
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, openssl::Bytes(seed.Reveal()), seed.size()),
      EVP_PKEY_free);
  if (key == nullptr) return Failed("make an Ed25519 key");
  return FromHandle(std::move(key));
}

StatusOr<SigningKey> SigningKey::FromPem(const SecretBytes& pem) {
  AISLE_ASSIGN_OR_RETURN(openssl::KeyPtr key, openssl::ParsePrivateKey(pem));
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return InvalidArgument("the private key is not Ed25519");
  return FromHandle(std::move(key));
}

StatusOr<SigningKey> SigningKey::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes pem, ReadSecretFile(path));
  StatusOr<SigningKey> key = FromPem(pem);
  if (!key.ok()) return Annotate(key.status(), path);
  return key;
}

StatusOr<SigningKey> SigningKey::FromHandle(std::shared_ptr<evp_pkey_st> key) {
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, RawPublicKey(key.get()));
  AISLE_ASSIGN_OR_RETURN(VerifyKey verify_key, VerifyKey::FromBytes(bytes));
  return SigningKey(std::move(key), std::move(verify_key));
}

StatusOr<SecretBytes> SigningKey::ToPem() const { return openssl::WritePrivateKey(key_.get()); }

StatusOr<std::string> SigningKey::Sign(std::string_view domain, std::string_view message) const {
  return signing_internal::SignRaw(key_.get(), Separated(domain, message));
}

StatusOr<std::string> SignPlan(const SigningKey& key, const Digest& bundle) {
  return key.Sign(kPlanDomain, bundle.view());
}

Status VerifyPlan(std::span<const VerifyKey> keys, const Digest& bundle, std::string_view signature) {
  for (const VerifyKey& key : keys) {
    const Status verdict = key.Verify(kPlanDomain, bundle.view(), signature);
    if (verdict.code() != StatusCode::kUnauthenticated) return verdict;  // OK, or OpenSSL's trouble.
  }
  return Unauthenticated("plan {} is not signed by any of the {} trusted plan keys", bundle.ShortHex(), keys.size());
}

namespace signing_internal {

StatusOr<std::string> SignRaw(evp_pkey_st* key, std::string_view message) {
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  std::array<unsigned char, kSignatureSize> signature{};
  size_t size = signature.size();
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, openssl::Bytes(message), message.size()) != 1 ||
      size != signature.size()) {
    return Failed("sign");
  }
  return std::string(reinterpret_cast<const char*>(signature.data()), size);
}

StatusOr<std::string> SignRawWithSeed(const SecretBytes& seed, std::string_view message) {
  const openssl::KeyPtr key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, openssl::Bytes(seed.Reveal()), seed.size()));
  if (key == nullptr) return Failed("make an Ed25519 key");
  return SignRaw(key.get(), message);
}

}  // namespace signing_internal

}  // namespace aisle
