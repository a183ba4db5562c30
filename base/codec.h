// Our own canonical byte formats: little-endian integers, length-prefixed strings, nothing optional.
//
// Used where bytes are hashed, signed or stored for years (ledger, tensors, bundles, row keys). Each value has exactly
// one encoding. A reader checks every bound and remembers its first failure, so call sites read straight down and ask
// once.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/status.h"

namespace aisle {

class ByteWriter {
 public:
  ByteWriter& U8(uint8_t value) { return Raw({reinterpret_cast<const char*>(&value), 1}); }
  ByteWriter& U32(uint32_t value) { return Plain(value); }
  ByteWriter& U64(uint64_t value) { return Plain(value); }
  ByteWriter& I64(int64_t value) { return Plain(value); }
  ByteWriter& F64(double value) { return Plain(std::bit_cast<uint64_t>(value)); }
  ByteWriter& String(std::string_view text);  // u32 length, then the bytes.
  ByteWriter& Raw(std::string_view bytes);
  ByteWriter& Put(const Digest& digest) { return Raw(digest.view()); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  template <typename T>
  ByteWriter& Plain(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    return Raw({raw, sizeof raw});
  }
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint8_t U8() { return Plain<uint8_t>(); }
  uint32_t U32() { return Plain<uint32_t>(); }
  uint64_t U64() { return Plain<uint64_t>(); }
  int64_t I64() { return Plain<int64_t>(); }
  double F64() { return std::bit_cast<double>(Plain<uint64_t>()); }
  std::string_view String(size_t size_max);
  std::string_view Raw(size_t size);
  Digest ReadDigest();

  size_t remaining() const { return rest_.size(); }
  bool ok() const { return !failed_; }
  // DataLoss naming `what` if any read went past the end or over a limit.
  Status status(std::string_view what) const;
  // As status, and DataLoss if bytes are left over.
  Status Finish(std::string_view what) const;

 private:
  template <typename T>
  T Plain() {
    T value{};
    const std::string_view raw = Raw(sizeof value);
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace aisle
