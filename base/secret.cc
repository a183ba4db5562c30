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

void SecretBytes::Clear() {
  Wipe(bytes_.data(), bytes_.size());
  bytes_.clear();
}

}  // namespace aisle
