#include "store-agent/transfer/spool.h"

#include <fcntl.h>

#include <algorithm>
#include <system_error>

#include "base/cover.h"
#include "base/secret.h"

namespace aisle {
namespace {

constexpr size_t kReadSize = 1 << 20;

StatusOr<Digest> DigestOfFile(const FileDescriptor& file, uint64_t size, const std::string& path) {
  Sha256 hash;
  std::string buffer(std::min<uint64_t>(kReadSize, size), '\0');
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

std::string Spool::PathOf(const RoundId& round, SpooledVector which) const {
  return fmt::format("{}/{}-{}.{}", folder_, round.job, round.number,
                     which == SpooledVector::kMasked ? "masked" : "update");
}

StatusOr<BlobName> Spool::Write(const RoundId& round, std::span<const uint32_t> values) const {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  AISLE_COVER("commit.spool.before");
  AISLE_RETURN_IF_ERROR(WriteFileDurably(PathOf(round), bytes, 0600));
  AISLE_COVER("commit.spool.after");
  return BlobName{.digest = Sha256::Of(bytes), .size = bytes.size()};
}

StatusOr<std::optional<BlobName>> Spool::Find(const RoundId& round) const {
  const std::string path = PathOf(round);
  if (!FileExists(path)) return std::optional<BlobName>();
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenVector(round, SpooledVector::kUpdate));
  AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(file, size, path));
  return std::optional<BlobName>(BlobName{.digest = digest, .size = size});
}

StatusOr<BlobName> Spool::WriteMasked(const RoundId& round, const BlobName& update, const Masking& masking) const {
  const std::string from = PathOf(round);
  const std::string path = PathOf(round, SpooledVector::kMasked);
  const std::string part = path + ".part";
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor in, OpenVector(round, SpooledVector::kUpdate));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor out, OpenFile(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Sha256 bare;
  Sha256 masked;
  SecretVector<uint32_t> values(std::min<uint64_t>(kReadSize, update.size) / sizeof(uint32_t));
  for (uint64_t offset = 0; offset < update.size;) {
    const size_t size = std::min<uint64_t>(kReadSize, update.size - offset);
    const std::span<uint32_t> piece = values.Mutable().first(size / sizeof(uint32_t));
    char* bytes = reinterpret_cast<char*>(piece.data());
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(in.get(), bytes, size, offset, from));
    bare.Update({bytes, size});
    masking(offset / sizeof(uint32_t), piece);
    masked.Update({bytes, size});
    AISLE_RETURN_IF_ERROR(WriteAll(out.get(), {bytes, size}, part));
    offset += size;
  }
  if (bare.Finish() != update.digest) {
    AISLE_RETURN_IF_ERROR(RemoveFile(part));
    return DataLoss("{} is not the update that was finished", from);
  }
  AISLE_RETURN_IF_ERROR(SyncData(out.get(), part));
  AISLE_COVER("commit.masked.before");
  AISLE_RETURN_IF_ERROR(RenameDurably(part, path));
  AISLE_COVER("commit.masked.after");
  return BlobName{.digest = masked.Finish(), .size = update.size};
}

StatusOr<FileDescriptor> Spool::OpenVector(const RoundId& round, SpooledVector which) const {
  return OpenFile(PathOf(round, which), O_RDONLY | O_CLOEXEC);
}

Status Spool::Drop(const RoundId& round) const {
  AISLE_RETURN_IF_ERROR(RemoveFile(PathOf(round)));
  AISLE_COVER("commit.spool_dropped.after");
  return RemoveFile(PathOf(round, SpooledVector::kMasked));
}

Status Spool::DropAllBut(const std::optional<RoundId>& round) const {
  return RemoveFilesBut(folder_, round ? PathOf(*round) : "");
}

}  // namespace aisle
