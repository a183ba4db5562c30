#include "base/secret.h"

#include <openssl/crypto.h>

namespace aisle {

void Wipe(void* data, size_t size) {
  if (size > 0) OPENSSL_cleanse(data, size);
}

SecretBytes SecretBytes::CopyOf(std::string_view bytes) {
  SecretBytes secret;
  secret.bytes_.assign(bytes.begin(), bytes.end());
  return secret;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Clear();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

SecretBytes SecretBytes::Clone() const { return CopyOf(Reveal()); }

void SecretBytes::Resize(size_t size) {
  if (size > bytes_.capacity()) Clear();  // Growing would copy the bytes and leave the old ones behind.
  if (size < bytes_.size()) Wipe(bytes_.data() + size, bytes_.size() - size);
  bytes_.resize(size);
}

void SecretBytes::Clear() {
  Wipe(bytes_.data(), bytes_.size());
  bytes_.clear();
}

}  // namespace aisle
