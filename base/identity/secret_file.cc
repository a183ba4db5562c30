#include "base/identity/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr mode_t kStrangers = S_IRWXO;

}  // namespace

StatusOr<SecretBytes> ReadSecretFile(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(path, O_RDONLY));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return ErrnoStatus(errno, "look at", path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{} is not a plain file", path);
  if ((info.st_mode & kStrangers) != 0) {
    return FailedPrecondition("{} holds a private key, but its mode {:04o} lets everybody at it: chmod 600 {}", path,
                              info.st_mode & 07777, path);
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > kSecretFileSizeMax) return InvalidArgument("{} is larger than {} bytes", path, kSecretFileSizeMax);
  SecretBytes content(size);
  AISLE_RETURN_IF_ERROR(ReadExactlyAt(file.get(), reinterpret_cast<char*>(content.Mutable().data()), size, 0, path));
  return content;
}

Status WriteSecretFile(const std::string& path, const SecretBytes& content) {
  // A file left aside by a crash might have a laxer mode, which opening it anew would keep.
  AISLE_RETURN_IF_ERROR(RemoveFile(path + ".tmp"));
  return WriteFileDurably(path, content.Reveal(), 0600);
}

}  // namespace aisle
