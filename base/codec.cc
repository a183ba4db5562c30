#include "base/codec.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace aisle {

ByteWriter& ByteWriter::String(std::string_view text) {
  AISLE_CHECK(text.size() <= std::numeric_limits<uint32_t>::max());
  return U32(static_cast<uint32_t>(text.size())).Raw(text);
}

ByteWriter& ByteWriter::Raw(std::string_view bytes) {
  bytes_.append(bytes);
  return *this;
}

std::string_view ByteReader::String(size_t size_max) {
  const uint32_t size = U32();
  if (size > size_max) failed_ = true;
  return failed_ ? std::string_view{} : Raw(size);
}

std::string_view ByteReader::Raw(size_t size) {
  if (failed_ || size > rest_.size()) {
    failed_ = true;
    return {};
  }
  const std::string_view raw = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return raw;
}

Digest ByteReader::ReadDigest() {
  Digest digest;
  const std::string_view raw = Raw(Digest::kSize);
  std::ranges::copy(raw, digest.bytes.begin());
  return digest;
}

Status ByteReader::status(std::string_view what) const {
  if (failed_) return DataLoss("{} is cut short or malformed", what);
  return OkStatus();
}

Status ByteReader::Finish(std::string_view what) const {
  AISLE_RETURN_IF_ERROR(status(what));
  if (!rest_.empty()) return DataLoss("{} has {} bytes too many", what, rest_.size());
  return OkStatus();
}

}  // namespace aisle
