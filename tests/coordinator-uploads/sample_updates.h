// Update vectors for tests of the spool and the sum.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/fleet.h"
#include "base/ids.h"
#include "coordinator/uploads/upload_spool.h"

namespace aisle {

inline StoreId Store(std::string_view name) { return *StoreId::Parse(name); }
inline StoreId Store(size_t number) { return Store("store-" + std::to_string(number)); }
inline BlobName NameOf(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }

// The little-endian bytes of a vector.
inline std::string BytesOf(const std::vector<uint32_t>& vector) {
  std::string bytes(vector.size() * sizeof(uint32_t), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return bytes;
}

// Sends a whole update in one stream.
inline StatusOr<UploadStatus> Send(UploadSpool& spool, const StoreId& store, std::string_view content) {
  AISLE_ASSIGN_OR_RETURN(const auto session, spool.Begin(store, NameOf(content), 0));
  AISLE_RETURN_IF_ERROR(session->Append(content));
  return session->Finish();
}

}  // namespace aisle
