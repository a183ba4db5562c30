#include "store-agent/transfer/blob_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/cover.h"

namespace aisle {
namespace {

constexpr size_t kReadSize = 1 << 20;

}  // namespace

Status PartialBlob::TakeUpWhatIsThere() {
  AISLE_ASSIGN_OR_RETURN(file_, OpenFile(part(), O_RDWR | O_CREAT | O_CLOEXEC));
  AISLE_ASSIGN_OR_RETURN(uint64_t size, FileSize(part()));
  if (size > name_.size) {
    if (ftruncate(file_.get(), 0) != 0) return ErrnoStatus(errno, "can't cut", part());
    size = 0;
  }
  std::string buffer(std::min<uint64_t>(kReadSize, size), '\0');
  while (received_ < size) {
    const size_t piece = std::min<uint64_t>(buffer.size(), size - received_);
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file_.get(), buffer.data(), piece, received_, part()));
    hash_.Update(std::string_view(buffer).substr(0, piece));
    received_ += piece;
  }
  return OkStatus();
}

Status PartialBlob::Append(std::string_view data) {
  if (data.size() > name_.size - received_) {
    return InvalidArgument("headquarters sends more than the {} bytes of {}", name_.size, name_.digest.ShortHex());
  }
  AISLE_RETURN_IF_ERROR(WriteAllAt(file_.get(), data, received_, part()));
  hash_.Update(data);
  received_ += data.size();
  return OkStatus();
}

Status PartialBlob::Finish() {
  if (received_ < name_.size) {
    return Unavailable("{} of {} bytes of {} have arrived", received_, name_.size, name_.digest.ShortHex());
  }
  if (hash_.Finish() != name_.digest) {
    AISLE_COVER("transfer.wrong_digest");
    AISLE_RETURN_IF_ERROR(RemoveFile(part()));
    return DataLoss("what arrived as {} has another digest", name_.digest.ShortHex());
  }
  AISLE_RETURN_IF_ERROR(SyncData(file_.get(), part()));
  AISLE_COVER("commit.cache.before");
  AISLE_RETURN_IF_ERROR(RenameDurably(part(), folder_ + "/" + name_.digest.Hex()));
  AISLE_COVER("commit.cache.after");
  return OkStatus();
}

StatusOr<BlobCache> BlobCache::Open(std::string folder) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  return BlobCache(std::move(folder));
}

bool BlobCache::Has(const BlobName& blob) const {
  const StatusOr<uint64_t> size = FileSize(PathOf(blob.digest));
  return size.ok() && *size == blob.size;
}

StatusOr<std::string> BlobCache::Read(const BlobName& blob) const {
  const std::string path = PathOf(blob.digest);
  AISLE_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path, blob.size));
  if (bytes.size() == blob.size && Sha256::Of(bytes) == blob.digest) {
    (void)utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // Used now: Trim goes by it.
    return bytes;
  }
  AISLE_COVER("transfer.cache_damaged");
  AISLE_RETURN_IF_ERROR(RemoveFile(path));
  return DataLoss("{} was damaged on the disk and is removed", path);
}

StatusOr<PartialBlob> BlobCache::Begin(const BlobName& blob) const {
  PartialBlob partial(folder_, blob);
  AISLE_RETURN_IF_ERROR(partial.TakeUpWhatIsThere());
  return partial;
}

Status BlobCache::Trim(uint64_t bytes_max, const std::vector<Digest>& keep) const {
  struct Entry {
    std::filesystem::path path;
    std::filesystem::file_time_type used;
    uint64_t size;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error)) {
    std::error_code gone;
    const uint64_t size = file.file_size(gone);
    const auto used = file.last_write_time(gone);
    if (gone) continue;
    total += size;
    const std::string stem = file.path().stem().string();
    if (std::ranges::any_of(keep, [&](const Digest& digest) { return digest.Hex() == stem; })) continue;
    entries.push_back({file.path(), used, size});
  }
  if (error) return Unavailable("can't list {}: {}", folder_, error.message());
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (total <= bytes_max) break;
    AISLE_RETURN_IF_ERROR(RemoveFile(entry.path.string()));
    total -= entry.size;
  }
  return OkStatus();
}

}  // namespace aisle
