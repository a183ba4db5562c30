// The one key that everything a store keeps is sealed under: 32 random bytes in a file that only its owner can read.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

inline constexpr size_t kStoreKeySize = 32;

// Reads the key. Where there is no file and `may_make` says so, draws a key and writes it durably with mode 0600.
//   FailedPrecondition   no file, and it may not be made: rows exist that only the lost key opens
//   PermissionDenied     others than the owner may read the file, or we may not
//   DataLoss             the file hasn't kStoreKeySize bytes
StatusOr<SecretBytes> LoadStoreKey(const std::string& path, bool may_make, RandomSource& random);

// A key of the same form, put there by hand, makes customers' pseudonyms the chain's: the same customer has the same
// one in every store that has this file. Headquarters never has it. It must be there before the first row.
std::string ChainCustomerKeyPath(const std::string& tables_folder);

}  // namespace aisle
