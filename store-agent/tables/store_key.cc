#include "store-agent/tables/store_key.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/cover.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

StatusOr<SecretBytes> MakeKey(const std::string& path, RandomSource& random) {
  SecretBytes key(kStoreKeySize);
  random.Fill(key.Mutable());
  AISLE_COVER("commit.store_key.before");
  AISLE_RETURN_IF_ERROR(WriteFileDurably(path, key.Reveal(), 0600));
  AISLE_COVER("commit.store_key.after");
  return key;
}

}  // namespace

StatusOr<SecretBytes> LoadStoreKey(const std::string& path, bool may_make, RandomSource& random) {
  StatusOr<FileDescriptor> file = OpenFile(path, O_RDONLY);
  if (file.status().code() == StatusCode::kNotFound) {
    if (may_make) return MakeKey(path, random);
    return FailedPrecondition("the store key {} is missing, and rows are sealed under it; restore it from a backup",
                              path);
  }
  AISLE_RETURN_IF_ERROR(file.status());
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return ErrnoStatus(errno, "look at", path);
  if ((info.st_mode & 077) != 0) {
    return PermissionDenied("the store key {} is open to others than its owner (mode {:04o}); run chmod 600 on it",
                            path, info.st_mode & 07777);
  }
  if (info.st_size != static_cast<off_t>(kStoreKeySize)) {
    return DataLoss("the store key {} has {} bytes, not {}; restore it from a backup", path, info.st_size,
                    kStoreKeySize);
  }
  SecretBytes key(kStoreKeySize);
  AISLE_RETURN_IF_ERROR(
      ReadExactlyAt(file->get(), reinterpret_cast<char*>(key.Mutable().data()), kStoreKeySize, 0, path));
  return key;
}

std::string ChainCustomerKeyPath(const std::string& tables_folder) { return tables_folder + "/customers.key"; }

}  // namespace aisle
