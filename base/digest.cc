#include "base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aisle {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Fetched once: fetching costs more than hashing a short message (OpenSSL 3).
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  AISLE_CHECK(algorithm != nullptr, "OpenSSL offers no SHA-256");
  return algorithm;
}

EVP_KDF* HkdfAlgorithm() {
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  AISLE_CHECK(algorithm != nullptr, "OpenSSL offers no HKDF");
  return algorithm;
}

OSSL_PARAM OctetParam(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

std::string ToHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto value = static_cast<uint8_t>(c);
    hex += kHexDigits[value >> 4];
    hex += kHexDigits[value & 15];
  }
  return hex;
}

StatusOr<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return InvalidArgument("hexadecimal text has an odd length of {}", hex.size());
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) return InvalidArgument("hexadecimal text has a stray character at {}", i);
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string Digest::Hex() const { return ToHex(view()); }

StatusOr<Digest> Digest::FromBytes(std::string_view bytes) {
  if (bytes.size() != kSize) return InvalidArgument("a digest has {} bytes, not {}", kSize, bytes.size());
  Digest digest;
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

StatusOr<Digest> Digest::FromHex(std::string_view hex) {
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, aisle::FromHex(hex));
  return FromBytes(bytes);
}

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  bool started = false;  // Whether bytes are being taken; else the next ones begin anew.
  Context() = default;
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void Start() {
    if (!std::exchange(started, true)) AISLE_CHECK(EVP_DigestInit_ex(evp, Sha256Algorithm(), nullptr) == 1);
  }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::string_view data) {
  context_->Start();
  AISLE_CHECK(EVP_DigestUpdate(context_->evp, data.data(), data.size()) == 1);
}

Digest Sha256::Finish() {
  context_->Start();  // Of nothing, if there was nothing.
  Digest digest;
  unsigned int size = 0;
  AISLE_CHECK(EVP_DigestFinal_ex(context_->evp, digest.bytes.data(), &size) == 1 && size == Digest::kSize);
  context_->started = false;
  return digest;
}

Digest Sha256::Of(std::string_view data) {
  Digest digest;
  unsigned int size = 0;
  AISLE_CHECK(EVP_Digest(data.data(), data.size(), digest.bytes.data(), &size, Sha256Algorithm(), nullptr) == 1 &&
              size == Digest::kSize);
  return digest;
}

Digest HmacSha256(const SecretBytes& key, std::string_view data) {
  Digest digest;
  size_t size = 0;
  const std::string_view bytes = key.Reveal();
  const auto* result = EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, bytes.data(), bytes.size(),
                                 reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.bytes.data(),
                                 Digest::kSize, &size);
  AISLE_CHECK(result != nullptr && size == Digest::kSize);
  return digest;
}

SecretBytes HkdfSha256(const SecretBytes& key, std::string_view salt, std::string_view info, size_t size) {
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(HkdfAlgorithm());
  AISLE_CHECK(context != nullptr);
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
                                   OctetParam(OSSL_KDF_PARAM_KEY, key.Reveal()), OctetParam(OSSL_KDF_PARAM_SALT, salt),
                                   OctetParam(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  SecretBytes derived(size);
  const int derived_ok = EVP_KDF_derive(context, derived.Mutable().data(), size, parameters);
  EVP_KDF_CTX_free(context);
  AISLE_CHECK(derived_ok == 1);
  return derived;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace aisle
