// Blobs of the coordinator, fetched whole and verified, with a progress bar on a terminal.
#pragma once

#include <string>

#include "aisle/v1/admin.pb.h"
#include "base/status.h"
#include "cli/admin_client.h"

namespace aisle::cli {

inline constexpr uint64_t kFetchedBlobSizeMax = uint64_t{2} << 30;  // Bytes.

// Into memory. ResourceExhausted above kFetchedBlobSizeMax.
StatusOr<std::string> FetchBlobToMemory(AdminClient& admin, const v1::BlobRef& blob);

// `path` is replaced in one step once everything has arrived and verified; until then it stays as it was.
Status FetchBlobToFile(AdminClient& admin, const v1::BlobRef& blob, const std::string& path);

// Stores `bytes` with a bar that says `what`.
Status UploadBlob(AdminClient& admin, std::string_view bytes, const std::string& what);

}  // namespace aisle::cli
