#include "base/random.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/digest.h"

namespace aisle {

uint64_t RandomSource::Draw64() {
  std::array<uint8_t, 8> bytes;
  Fill(bytes);
  return std::bit_cast<uint64_t>(bytes);
}

uint64_t RandomSource::Below(uint64_t bound) {
  AISLE_CHECK(bound > 0);
  const uint64_t reject_below = (0 - bound) % bound;  // 2^64 mod bound: the values that would favour small results.
  for (;;) {
    const uint64_t draw = Draw64();
    if (draw >= reject_below) return draw % bound;
  }
}

double RandomSource::Fraction() { return static_cast<double>(Draw64() >> 11) * 0x1.0p-53; }

void SecureRandom::Fill(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(bytes.size(), 1 << 20);
    AISLE_CHECK(RAND_priv_bytes(bytes.data(), static_cast<int>(size)) == 1, "OpenSSL's DRBG failed; refusing to go on");
    bytes = bytes.subspan(size);
  }
}

SecretBytes DrawKey(RandomSource& random) {
  SecretBytes key(32);
  random.Fill(key.Mutable());
  return key;
}

struct AesCtrStream::Cipher {
  EVP_CIPHER_CTX* evp = EVP_CIPHER_CTX_new();
  Cipher() = default;
  ~Cipher() { EVP_CIPHER_CTX_free(evp); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
};

AesCtrStream::AesCtrStream(const SecretBytes& seed, std::string_view purpose) : cipher_(std::make_unique<Cipher>()) {
  AISLE_CHECK(seed.size() == 32, "a stream's seed has 32 bytes, not {}", seed.size());
  const SecretBytes key = HkdfSha256(seed, "", "aisle/stream/" + std::string(purpose), 32);
  const std::array<uint8_t, 16> counter{};
  AISLE_CHECK(EVP_EncryptInit_ex(cipher_->evp, EVP_aes_256_ctr(), nullptr,
                                 reinterpret_cast<const uint8_t*>(key.Reveal().data()), counter.data()) == 1);
}

AesCtrStream::~AesCtrStream() { Wipe(buffer_.data() + used_, filled_ - used_); }

void AesCtrStream::Fill(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    if (used_ == filled_ && bytes.size() >= kBufferSize) {
      const std::span<uint8_t> direct = bytes.first(bytes.size() / kBufferSize * kBufferSize);
      Refill(direct);
      bytes = bytes.subspan(direct.size());
      continue;
    }
    if (used_ == filled_) {
      filled_ = filled_ == 0 ? kFirstSize : kBufferSize;
      Refill(std::span(buffer_).first(filled_));
      used_ = 0;
    }
    const size_t size = std::min(bytes.size(), filled_ - used_);
    std::memcpy(bytes.data(), buffer_.data() + used_, size);
    Wipe(buffer_.data() + used_, size);  // What was handed out can't be read back from here.
    used_ += size;
    bytes = bytes.subspan(size);
  }
}

void AesCtrStream::Refill(std::span<uint8_t> bytes) {
  constexpr size_t kStride = 1 << 20;
  for (size_t at = 0; at < bytes.size(); at += kStride) {
    const std::span<uint8_t> part = bytes.subspan(at, std::min(kStride, bytes.size() - at));
    std::ranges::fill(part, uint8_t{0});
    int written = 0;
    AISLE_CHECK(EVP_EncryptUpdate(cipher_->evp, part.data(), &written, part.data(), static_cast<int>(part.size())) ==
                    1 &&
                static_cast<size_t>(written) == part.size());
  }
}

}  // namespace aisle
