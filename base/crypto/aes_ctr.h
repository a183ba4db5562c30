// The AES-256-CTR key stream (SP 800-38A, section 6.5) of one key, from any place in it, as fast as OpenSSL makes it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/secret.h"

namespace aisle {

// Byte i of the stream is byte i mod 16 of AES(key, first counter + i / 16); counters are 128 bits, big-endian, and
// wrap. One stream per key: a key whose stream was used for something else is spent. Movable; not thread-safe.
class AesCtr {
 public:
  static constexpr size_t kKeySize = 32;
  static constexpr size_t kBlockSize = 16;
  using Counter = std::array<uint8_t, kBlockSize>;

  explicit AesCtr(const SecretBytes& key, const Counter& first = {});  // kKeySize bytes, else it is our bug.
  ~AesCtr();
  AesCtr(AesCtr&&) noexcept;
  AesCtr& operator=(AesCtr&&) noexcept;

  // The next byte handed out is that of `offset`. A new stream stands at 0.
  void Seek(uint64_t offset);
  // Overwrites `bytes` with the next bytes of the stream.
  void Generate(std::span<uint8_t> bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  Counter first_;
};

}  // namespace aisle
