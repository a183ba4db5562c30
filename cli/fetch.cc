#include "cli/fetch.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/progress.h"
#include "proto/convert/fleet.h"

namespace aisle::cli {
namespace {

StatusOr<BlobName> CheckedName(const v1::BlobRef& blob) {
  AISLE_ASSIGN_OR_RETURN(const BlobName name, FromProto(blob));
  if (name.size > kFetchedBlobSizeMax) {
    return ResourceExhausted("blob {} has {}; the limit is {}", name.digest.ShortHex(), FormatByteCount(name.size),
                             FormatByteCount(kFetchedBlobSizeMax));
  }
  return name;
}

ProgressFunction ShowOn(ProgressBar& bar) {
  return [&bar](uint64_t done, uint64_t total) { bar.Show(done, total); };
}

Status FetchInto(AdminClient& admin, const BlobName& name, int fd, const std::string& path) {
  ProgressBar bar("fetching", ProgressBar::Unit::kBytes);
  AISLE_RETURN_IF_ERROR(admin.FetchBlob(
      name, [&](std::string_view data) { return WriteAll(fd, data, path); }, ShowOn(bar)));
  return SyncData(fd, path);
}

}  // namespace

StatusOr<std::string> FetchBlobToMemory(AdminClient& admin, const v1::BlobRef& blob) {
  AISLE_ASSIGN_OR_RETURN(const BlobName name, CheckedName(blob));
  std::string bytes;
  bytes.reserve(name.size);
  ProgressBar bar("fetching", ProgressBar::Unit::kBytes);
  const auto append = [&bytes](std::string_view data) {
    bytes += data;
    return OkStatus();
  };
  AISLE_RETURN_IF_ERROR(admin.FetchBlob(name, append, ShowOn(bar)));
  return bytes;
}

Status FetchBlobToFile(AdminClient& admin, const v1::BlobRef& blob, const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const BlobName name, CheckedName(blob));
  const std::string aside = path + ".part";
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(aside, O_WRONLY | O_CREAT | O_TRUNC));
  Status fetched = FetchInto(admin, name, file.get(), aside);
  if (fetched.ok()) fetched = RenameDurably(aside, path);
  if (!fetched.ok()) RemoveFile(aside).IgnoreError();
  return fetched;
}

Status UploadBlob(AdminClient& admin, std::string_view bytes, const std::string& what) {
  ProgressBar bar("uploading " + what, ProgressBar::Unit::kBytes);
  return admin.PutBlob(bytes, ShowOn(bar));
}

}  // namespace aisle::cli
