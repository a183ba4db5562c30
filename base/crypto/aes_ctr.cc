#include "base/crypto/aes_ctr.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace aisle {
namespace {

// The stream is the encryption of zeros: these, which stay in the first-level cache.
constexpr size_t kZerosSize = 8192;
alignas(64) constexpr std::array<uint8_t, kZerosSize> kZeros{};

// Fetched once: fetching costs more than setting a key (OpenSSL 3).
const EVP_CIPHER* Aes256Ctr() {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  AISLE_CHECK(algorithm != nullptr, "OpenSSL offers no AES-256-CTR");
  return algorithm;
}

AesCtr::Counter Advance(AesCtr::Counter counter, uint64_t blocks) {
  unsigned carry = 0;
  for (size_t i = counter.size(); i-- > 0; blocks >>= 8) {
    carry += counter[i] + static_cast<unsigned>(blocks & 0xff);
    counter[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return counter;
}

}  // namespace

struct AesCtr::Context {
  EVP_CIPHER_CTX* evp = EVP_CIPHER_CTX_new();
  Context() = default;
  ~Context() { EVP_CIPHER_CTX_free(evp); }  // Wipes the key.
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

AesCtr::AesCtr(const SecretBytes& key, const Counter& first) : context_(std::make_unique<Context>()), first_(first) {
  AISLE_CHECK(key.size() == kKeySize, "an AES-256 key has {} bytes, not {}", kKeySize, key.size());
  AISLE_CHECK(context_->evp != nullptr &&
              EVP_EncryptInit_ex2(context_->evp, Aes256Ctr(), reinterpret_cast<const uint8_t*>(key.Reveal().data()),
                                  first_.data(), nullptr) == 1);
}

AesCtr::~AesCtr() = default;
AesCtr::AesCtr(AesCtr&&) noexcept = default;
AesCtr& AesCtr::operator=(AesCtr&&) noexcept = default;

void AesCtr::Seek(uint64_t offset) {
  const Counter counter = Advance(first_, offset / kBlockSize);
  AISLE_CHECK(EVP_EncryptInit_ex2(context_->evp, nullptr, nullptr, counter.data(), nullptr) == 1);
  std::array<uint8_t, kBlockSize> skipped;
  Generate(std::span(skipped).first(offset % kBlockSize));
  Wipe(skipped.data(), skipped.size());
}

void AesCtr::Generate(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), kZerosSize);
    int written = 0;
    AISLE_CHECK(EVP_EncryptUpdate(context_->evp, bytes.data(), &written, kZeros.data(), static_cast<int>(size)) == 1 &&
                static_cast<size_t>(written) == size);
    bytes = bytes.subspan(size);
  }
}

}  // namespace aisle
