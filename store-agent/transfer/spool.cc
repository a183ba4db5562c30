#include "store-agent/transfer/spool.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace aisle {
namespace {

constexpr size_t kReadSize = 1 << 20;

StatusOr<Digest> DigestOfFile(const FileDescriptor& file, uint64_t size, const std::string& path) {
  Sha256 hash;
  std::string buffer(kReadSize, '\0');
  for (uint64_t offset = 0; offset < size;) {
    const size_t piece = std::min<uint64_t>(buffer.size(), size - offset);
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file.get(), buffer.data(), piece, offset, path));
    hash.Update(std::string_view(buffer).substr(0, piece));
    offset += piece;
  }
  return hash.Finish();
}

}  // namespace

StatusOr<Spool> Spool::Open(std::string folder) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  return Spool(std::move(folder));
}

std::string Spool::PathOf(const RoundId& round) const {
  return fmt::format("{}/{}-{}.update", folder_, round.job, round.number);
}

StatusOr<BlobName> Spool::Write(const RoundId& round, std::span<const uint32_t> values) const {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  AISLE_RETURN_IF_ERROR(WriteFileDurably(PathOf(round), bytes, 0600));
  return BlobName{.digest = Sha256::Of(bytes), .size = bytes.size()};
}

StatusOr<std::optional<BlobName>> Spool::Find(const RoundId& round) const {
  const std::string path = PathOf(round);
  if (!FileExists(path)) return std::optional<BlobName>();
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenUpdate(round));
  AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(file, size, path));
  return std::optional<BlobName>(BlobName{.digest = digest, .size = size});
}

StatusOr<FileDescriptor> Spool::OpenUpdate(const RoundId& round) const {
  return OpenFile(PathOf(round), O_RDONLY | O_CLOEXEC);
}

Status Spool::Drop(const RoundId& round) const { return RemoveFile(PathOf(round)); }

Status Spool::DropAllBut(const std::optional<RoundId>& round) const {
  const std::string keep = round ? PathOf(*round) : "";
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error)) {
    if (file.path().string() != keep) AISLE_RETURN_IF_ERROR(RemoveFile(file.path().string()));
  }
  return error ? Unavailable("can't list {}: {}", folder_, error.message()) : OkStatus();
}

}  // namespace aisle
