#include "base/identity/der.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"
#include "base/identity/certificate.h"

namespace aisle::der {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----\n";

struct FreeCoder {
  void operator()(EVP_ENCODE_CTX* coder) const { EVP_ENCODE_CTX_free(coder); }
};
using Coder = std::unique_ptr<EVP_ENCODE_CTX, FreeCoder>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::optional<std::string> Decode(std::string_view lines) {
  const Coder coder(EVP_ENCODE_CTX_new());
  AISLE_CHECK(coder != nullptr);
  std::string bytes(lines.size(), '\0');
  int size = 0;
  int rest = 0;
  EVP_DecodeInit(coder.get());
  if (EVP_DecodeUpdate(coder.get(), Bytes(bytes), &size, Bytes(lines), static_cast<int>(lines.size())) < 0 ||
      EVP_DecodeFinal(coder.get(), Bytes(bytes) + size, &rest) != 1) {
    return std::nullopt;
  }
  bytes.resize(static_cast<size_t>(size) + static_cast<size_t>(rest));
  return bytes;
}

// Lines of 64 characters, as in PEM.
std::string Encode(std::string_view bytes) {
  const Coder coder(EVP_ENCODE_CTX_new());
  AISLE_CHECK(coder != nullptr);
  std::string lines((bytes.size() / 48 + 1) * 65 + 1, '\0');  // And the '\0' that OpenSSL writes after them.
  int size = 0;
  int rest = 0;
  EVP_EncodeInit(coder.get());
  EVP_EncodeUpdate(coder.get(), Bytes(lines), &size, Bytes(bytes), static_cast<int>(bytes.size()));
  EVP_EncodeFinal(coder.get(), Bytes(lines) + size, &rest);
  lines.resize(static_cast<size_t>(size) + static_cast<size_t>(rest));
  return lines;
}

}  // namespace

std::optional<std::string_view> Reader::TakeBytes(size_t size) {
  if (rest_.size() < size) return std::nullopt;
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

bool Reader::TakeExactly(std::string_view bytes) {
  if (!rest_.starts_with(bytes)) return false;
  rest_.remove_prefix(bytes.size());
  return true;
}

// Of tag and length: 2 to 4 bytes.
std::optional<size_t> Reader::HeaderSize(char tag) const {
  if (rest_.size() < 2 || rest_[0] != tag) return std::nullopt;
  if (Byte(1) < 0x80) return 2;
  if (Byte(1) == 0x81 && rest_.size() >= 3 && Byte(2) >= 0x80) return 3;
  if (Byte(1) == 0x82 && rest_.size() >= 4 && Byte(2) > 0) return 4;
  return std::nullopt;
}

std::optional<std::string_view> Reader::Take(char tag) {
  const std::optional<size_t> header = HeaderSize(tag);
  if (!header) return std::nullopt;
  const size_t size = *header == 4 ? Byte(2) << 8 | Byte(3) : Byte(*header - 1);
  if (rest_.size() - *header < size) return std::nullopt;
  const std::string_view content = rest_.substr(*header, size);
  rest_.remove_prefix(*header + size);
  return content;
}

std::optional<std::string_view> Reader::TakeWhole(char tag) {
  const std::string_view before = rest_;
  if (!Take(tag)) return std::nullopt;
  return before.substr(0, before.size() - rest_.size());
}

std::string Element(char tag, std::string_view content) {
  AISLE_CHECK(content.size() <= 255);
  std::string element(1, tag);
  if (content.size() >= 0x80) element += '\x81';
  element += static_cast<char>(content.size());
  return element.append(content);
}

std::optional<std::string> FromCertificatePem(std::string_view pem) {
  if (pem.size() > kCertificateSizeMax || pem.size() < kPemBegin.size() + kPemEnd.size() ||
      !pem.starts_with(kPemBegin) || !pem.ends_with(kPemEnd)) {
    return std::nullopt;
  }
  const std::string_view lines = pem.substr(kPemBegin.size(), pem.size() - kPemBegin.size() - kPemEnd.size());
  std::optional<std::string> bytes = Decode(lines);
  if (!bytes || Encode(*bytes) != lines) return std::nullopt;
  return bytes;
}

}  // namespace aisle::der
