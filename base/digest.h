// SHA-256 names of content, and the keyed hashes built on it (HMAC: RFC 2104; HKDF: RFC 5869).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"

namespace aisle {

// 32 bytes of SHA-256. Not a secret; ordered and printable as 64 hexadecimal digits.
struct Digest {
  static constexpr size_t kSize = 32;
  std::array<uint8_t, kSize> bytes{};

  auto operator<=>(const Digest&) const = default;
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  std::string Hex() const;
  std::string ShortHex() const { return Hex().substr(0, 12); }  // For people; never for lookup.
  bool IsZero() const { return *this == Digest{}; }

  // InvalidArgument unless given exactly 32 bytes, or 64 hexadecimal digits.
  static StatusOr<Digest> FromBytes(std::string_view bytes);
  static StatusOr<Digest> FromHex(std::string_view hex);
};

// Incremental SHA-256. Not thread-safe. After Finish it starts anew.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::string_view data);
  Digest Finish();

  static Digest Of(std::string_view data);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest HmacSha256(const SecretBytes& key, std::string_view data);

// `info` separates domains: every use in the house has its own text, starting with "aisle/".
SecretBytes HkdfSha256(const SecretBytes& key, std::string_view salt, std::string_view info, size_t size);

// Constant-time equality of equally long byte strings; strings of different lengths differ.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

std::string ToHex(std::string_view bytes);
StatusOr<std::string> FromHex(std::string_view hex);

}  // namespace aisle

template <>
struct std::hash<aisle::Digest> {
  size_t operator()(const aisle::Digest& digest) const noexcept {
    size_t prefix = 0;
    __builtin_memcpy(&prefix, digest.bytes.data(), sizeof prefix);
    return prefix;
  }
};
template <>
struct fmt::formatter<aisle::Digest> : fmt::formatter<std::string_view> {
  auto format(const aisle::Digest& digest, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(digest.Hex(), context);
  }
};
