#include "base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <initializer_list>

#include "base/check.h"

namespace aisle {
namespace {

const unsigned char* Raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

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

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }  // Wipes the key.
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

EVP_MAC_CTX* MakeHmac() {
  EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  AISLE_CHECK(context != nullptr && EVP_MAC_CTX_set_params(context, parameters) == 1,
              "OpenSSL offers no HMAC with SHA-256");
  return context;
}

// HMAC-SHA256 that has no key yet. Made once and copied: OpenSSL's own HKDF looks the algorithms up for each of its
// steps, which takes it longer than the hashing.
MacContext Hmac() {
  static const EVP_MAC_CTX* const made = MakeHmac();
  MacContext copy(EVP_MAC_CTX_dup(made));
  AISLE_CHECK(copy != nullptr);
  return copy;
}

void HmacInto(EVP_MAC_CTX* hmac, std::string_view key, std::initializer_list<std::string_view> parts,
              std::span<uint8_t> out) {
  size_t size = 0;
  bool done = EVP_MAC_init(hmac, Raw(key), key.size(), nullptr) == 1;
  for (const std::string_view part : parts) done = done && EVP_MAC_update(hmac, Raw(part), part.size()) == 1;
  AISLE_CHECK(done && EVP_MAC_final(hmac, out.data(), &size, out.size()) == 1 && size == Digest::kSize);
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
  Context() = default;
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void Start() { AISLE_CHECK(EVP_DigestInit_ex(evp, Sha256Algorithm(), nullptr) == 1); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { context_->Start(); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::string_view data) {
  AISLE_CHECK(EVP_DigestUpdate(context_->evp, data.data(), data.size()) == 1);
}

Digest Sha256::Finish() {
  Digest digest;
  unsigned int size = 0;
  AISLE_CHECK(EVP_DigestFinal_ex(context_->evp, digest.bytes.data(), &size) == 1 && size == Digest::kSize);
  context_->Start();
  return digest;
}

Digest Sha256::Of(std::string_view data) {
  Sha256 hash;
  hash.Update(data);
  return hash.Finish();
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

// RFC 5869, section 2: one key is extracted, then expanded, each block from the one before.
SecretBytes HkdfSha256(const SecretBytes& key, std::string_view salt, std::string_view info, size_t size) {
  AISLE_CHECK(size <= 255 * Digest::kSize, "HKDF makes no {} bytes", size);
  constexpr std::array<char, Digest::kSize> kNoSalt{};
  const MacContext hmac = Hmac();
  SecretBytes extracted(Digest::kSize);
  HmacInto(hmac.get(), salt.empty() ? std::string_view(kNoSalt.data(), kNoSalt.size()) : salt, {key.Reveal()},
           extracted.Mutable());
  SecretBytes derived(size);
  SecretBytes block;
  for (size_t at = 0; at < size; at += Digest::kSize) {
    const auto number = static_cast<char>(at / Digest::kSize + 1);
    SecretBytes next(Digest::kSize);
    HmacInto(hmac.get(), extracted.Reveal(), {block.Reveal(), info, {&number, 1}}, next.Mutable());
    const std::span<uint8_t> place = derived.Mutable().subspan(at);
    std::ranges::copy(next.Mutable().first(std::min(Digest::kSize, place.size())), place.begin());
    block = std::move(next);
  }
  return derived;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace aisle
