#include "base/crypto/aead.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"

namespace aisle {
namespace {

const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
uint8_t* Bytes(char* text) { return reinterpret_cast<uint8_t*>(text); }

// Feeds associated data or text; OpenSSL wants ints.
bool Update(EVP_CIPHER_CTX* cipher, bool sealing, uint8_t* out, std::string_view in) {
  int written = 0;
  const int size = static_cast<int>(in.size());
  if (in.empty()) return true;
  return sealing ? EVP_EncryptUpdate(cipher, out, &written, Bytes(in), size) == 1
                 : EVP_DecryptUpdate(cipher, out, &written, Bytes(in), size) == 1;
}

constexpr size_t kTextSizeMax = size_t{1} << 30;

// Fetched once: fetching costs more than setting a key (OpenSSL 3).
const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  AISLE_CHECK(algorithm != nullptr, "OpenSSL offers no AES-256-GCM");
  return algorithm;
}

}  // namespace

struct Aead::Context {
  EVP_CIPHER_CTX* seal = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* open = EVP_CIPHER_CTX_new();
  Context() = default;
  ~Context() {
    EVP_CIPHER_CTX_free(seal);
    EVP_CIPHER_CTX_free(open);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Aead::Aead(const SecretBytes& key) : context_(std::make_unique<Context>()) {
  AISLE_CHECK(key.size() == kKeySize, "an AES-256 key has {} bytes, not {}", kKeySize, key.size());
  const uint8_t* raw = Bytes(key.Reveal());
  AISLE_CHECK(EVP_EncryptInit_ex2(context_->seal, Aes256Gcm(), raw, nullptr, nullptr) == 1 &&
              EVP_DecryptInit_ex2(context_->open, Aes256Gcm(), raw, nullptr, nullptr) == 1);
}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

std::string Aead::Seal(std::string_view plain, std::string_view associated, RandomSource& random) const {
  AISLE_CHECK(plain.size() <= kTextSizeMax && associated.size() <= kTextSizeMax);
  std::string sealed(plain.size() + kOverhead, '\0');
  uint8_t* nonce = Bytes(sealed.data());
  random.Fill({nonce, kNonceSize});
  EVP_CIPHER_CTX* cipher = context_->seal;
  uint8_t* tag = nonce + kNonceSize + plain.size();
  int written = 0;
  AISLE_CHECK(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce) == 1 &&
              Update(cipher, true, nullptr, associated) && Update(cipher, true, nonce + kNonceSize, plain) &&
              EVP_EncryptFinal_ex(cipher, tag, &written) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, kTagSize, tag) == 1);
  return sealed;
}

StatusOr<SecretBytes> Aead::Open(std::string_view sealed, std::string_view associated) const {
  SecretBytes plain;
  AISLE_RETURN_IF_ERROR(OpenInto(sealed, associated, plain));
  return plain;
}

Status Aead::OpenInto(std::string_view sealed, std::string_view associated, SecretBytes& plain) const {
  if (sealed.size() < kOverhead || sealed.size() > kTextSizeMax) {
    plain.Clear();
    return DataLoss("a sealed text of {} bytes can't be one of ours: it is cut or damaged", sealed.size());
  }
  const std::string_view body = sealed.substr(kNonceSize, sealed.size() - kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  plain.Resize(body.size());
  EVP_CIPHER_CTX* cipher = context_->open;
  int written = 0;
  uint8_t none = 0;  // Where the "final" block goes: GCM has none.
  const bool opened = EVP_DecryptInit_ex(cipher, nullptr, nullptr, nullptr, Bytes(sealed)) == 1 &&
                      Update(cipher, false, nullptr, associated) &&
                      Update(cipher, false, plain.Mutable().data(), body) &&
                      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(cipher, &none, &written) == 1;
  if (opened) return OkStatus();
  plain.Clear();
  return DataLoss("a sealed text doesn't open: it was changed, moved, or sealed under another key");
}

struct Mac::Context {
  EVP_MAC_CTX* mac = nullptr;
  Context() = default;
  ~Context() { EVP_MAC_CTX_free(mac); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Mac::Mac(const SecretBytes& key) : context_(std::make_unique<Context>()) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_->mac = EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  AISLE_CHECK(EVP_MAC_init(context_->mac, Bytes(key.Reveal()), key.size(), parameters) == 1);
}

Mac::~Mac() = default;
Mac::Mac(Mac&&) noexcept = default;
Mac& Mac::operator=(Mac&&) noexcept = default;

Digest Mac::Of(std::string_view head, std::string_view tail) const {
  Digest digest;
  size_t size = 0;
  AISLE_CHECK(EVP_MAC_init(context_->mac, nullptr, 0, nullptr) == 1 &&
              EVP_MAC_update(context_->mac, Bytes(head), head.size()) == 1 &&
              EVP_MAC_update(context_->mac, Bytes(tail), tail.size()) == 1 &&
              EVP_MAC_final(context_->mac, digest.bytes.data(), &size, Digest::kSize) == 1 && size == Digest::kSize);
  return digest;
}

}  // namespace aisle
