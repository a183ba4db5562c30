// Where randomness comes from. Code that needs some is handed a RandomSource; it never makes one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/secret.h"

namespace aisle {

static_assert(std::endian::native == std::endian::little, "Aisle's formats and streams assume a little-endian machine");

// A source of uniformly random bytes. Not thread-safe unless an implementation says so.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<uint8_t> bytes) = 0;

  uint64_t Draw64();
  // Uniform in [0, bound) by rejection: exact, no modulo bias. bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1) with 53 random bits. For pacing and jitter, never for privacy.
  double Fraction();
};

// The operating system's entropy through OpenSSL's private DRBG (RAND_priv_bytes). Stops the program if that fails:
// no key or noise is ever drawn from anything weaker. Thread-safe.
class SecureRandom final : public RandomSource {
 public:
  void Fill(std::span<uint8_t> bytes) override;
};

// A fresh 32-byte key from `random`.
SecretBytes DrawKey(RandomSource& random);

// AES-256-CTR key stream: a deterministic, cryptographic expansion of one 32-byte seed (SP 800-38A, section 6.5).
// `purpose` separates domains: the AES key is HKDF(seed, info = "aisle/stream/" + purpose). One stream per (seed,
// purpose).
class AesCtrStream final : public RandomSource {
 public:
  AesCtrStream(const SecretBytes& seed, std::string_view purpose);
  ~AesCtrStream() override;
  AesCtrStream(const AesCtrStream&) = delete;
  AesCtrStream& operator=(const AesCtrStream&) = delete;

  void Fill(std::span<uint8_t> bytes) override;

 private:
  static constexpr size_t kBufferSize = 16384;
  static constexpr size_t kFirstSize = 512;  // Many a stream is asked for a few numbers and no more.
  void Refill(std::span<uint8_t> bytes);

  struct Cipher;
  std::unique_ptr<Cipher> cipher_;
  std::array<uint8_t, kBufferSize> buffer_;
  size_t filled_ = 0;  // Of the buffer …
  size_t used_ = 0;    // … and handed out of it.
};

}  // namespace aisle
