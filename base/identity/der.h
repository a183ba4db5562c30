// As much of DER (X.690) and PEM (RFC 7468) as our own certificates are written in. For base/identity only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aisle::der {

// Tags.
inline constexpr char kInteger = 0x02;
inline constexpr char kBitString = 0x03;
inline constexpr char kOctetString = 0x04;
inline constexpr char kUtf8String = 0x0c;
inline constexpr char kUtcTime = 0x17;
inline constexpr char kGeneralizedTime = 0x18;
inline constexpr char kSequence = 0x30;
inline constexpr char kSet = 0x31;

// Elements one after the other. What isn't as it is asked for is left where it is. Never looks beyond the bytes it was
// given, whatever they say.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool AtEnd() const { return rest_.empty(); }

  std::optional<std::string_view> TakeBytes(size_t size);
  bool TakeExactly(std::string_view bytes);
  // The content of an element of under 64 KiB whose length is written as shortly as can be.
  std::optional<std::string_view> Take(char tag);
  // The same with its tag and length.
  std::optional<std::string_view> TakeWhole(char tag);

 private:
  size_t Byte(size_t at) const { return static_cast<uint8_t>(rest_[at]); }
  std::optional<size_t> HeaderSize(char tag) const;
  std::string_view rest_;
};

// An element with this content, of at most 255 bytes.
std::string Element(char tag, std::string_view content);

// The bytes of one certificate in PEM, exactly as OpenSSL writes it; nothing for whatever else.
std::optional<std::string> FromCertificatePem(std::string_view pem);

}  // namespace aisle::der
