// Files that hold private keys: only their owner may read them, and their bytes are wiped after use.
#pragma once

#include <string>

#include "base/secret.h"
#include "base/status.h"

namespace aisle {

inline constexpr size_t kSecretFileSizeMax = 64 << 10;

// FailedPrecondition, with the chmod that mends it, if strangers ("other" bits) may read or write the file.
StatusOr<SecretBytes> ReadSecretFile(const std::string& path);
// Durably, with mode 0600 from its first byte on. Replaces what is there.
Status WriteSecretFile(const std::string& path, const SecretBytes& content);

}  // namespace aisle
