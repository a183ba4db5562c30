#include "coordinator/uploads/file_shelf.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/cover.h"
#include "base/reason.h"
#include "coordinator/blobs/incoming_file.h"

namespace aisle {
namespace {

constexpr std::string_view kPartial = "part";
constexpr std::string_view kComplete = "update";
constexpr size_t kCopySize = 256 << 10;

std::string FileName(const StoreId& store, const Digest& digest, std::string_view ending) {
  return fmt::format("{}.{}.{}", store, digest.Hex(), ending);
}

// Whether the file is one that `store` sent. A store's name may hold dots, so it is read from the end.
bool IsFileOf(const StoreId& store, const std::string& file) {
  for (const std::string_view ending : {kPartial, kComplete}) {
    if (file.size() == FileName(store, Digest{}, ending).size() && file.starts_with(store.str() + ".") &&
        file.ends_with(ending) && Digest::FromHex(file.substr(store.str().size() + 1, 2 * Digest::kSize)).ok()) {
      return true;
    }
  }
  return false;
}

StatusOr<Digest> DigestOf(const SpooledUpdate& update, uint64_t size) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kCopySize);
  Sha256 hash;
  for (uint64_t offset = 0; offset < size; offset += kCopySize) {
    const size_t wanted = std::min<uint64_t>(kCopySize, size - offset);
    AISLE_RETURN_IF_ERROR(update.ReadAt(offset, buffer.get(), wanted));
    hash.Update({buffer.get(), wanted});
  }
  return hash.Finish();
}

}  // namespace

class FileShelf::Arriving final : public ArrivingUpdate {
 public:
  Arriving(FileShelf& shelf, StoreId store, IncomingFile file)
      : shelf_(shelf), store_(std::move(store)), file_(std::move(file)) {}

  uint64_t received() const override { return file_.received(); }
  Status Append(std::string_view data) override { return file_.Append(data); }
  Status ReadBack(uint64_t offset, char* data, size_t size) override { return file_.ReadBack(offset, data, size); }
  Status Finish() override {
    AISLE_RETURN_IF_ERROR(file_.Finish());
    if (Status named = shelf_.folder_sync_.Sync(); !named.ok()) {  // A power cut may take the name back.
      AISLE_RETURN_IF_ERROR(RemoveFile(shelf_.PathOf(store_, file_.name().digest, kComplete)));
      return named;
    }
    AISLE_COVER("commit.upload_file.after");
    shelf_.NoteVerified(store_, file_.name().digest);
    return OkStatus();
  }

 private:
  FileShelf& shelf_;
  const StoreId store_;
  IncomingFile file_;
};

FileShelf::FileShelf(std::string folder)
    : folder_(std::move(folder)), folder_sync_([this] { return SyncFolder(folder_); }) {}

std::string FileShelf::PathOf(const StoreId& store, const Digest& digest, std::string_view ending) const {
  return fmt::format("{}/{}", folder_, FileName(store, digest, ending));
}

bool FileShelf::Has(const StoreId& store, const BlobName& update) const {
  const StatusOr<uint64_t> size = FileSize(PathOf(store, update.digest, kComplete));
  return size.ok() && *size == update.size;  // Otherwise the disk cut it: as if it had not come.
}

uint64_t FileShelf::PartialSize(const StoreId& store, const BlobName& update) const {
  const StatusOr<uint64_t> size = FileSize(PathOf(store, update.digest, kPartial));
  return size.ok() && *size <= update.size ? *size : 0;
}

StatusOr<std::unique_ptr<ArrivingUpdate>> FileShelf::Begin(const StoreId& store, const BlobName& update) {
  AISLE_ASSIGN_OR_RETURN(IncomingFile file, IncomingFile::Open({.partial = PathOf(store, update.digest, kPartial),
                                                                .complete = PathOf(store, update.digest, kComplete),
                                                                .passes = true},
                                                               update));
  return std::unique_ptr<ArrivingUpdate>(std::make_unique<Arriving>(*this, store, std::move(file)));
}

Status FileShelf::DropPartial(const StoreId& store, const BlobName& update) {
  return RemoveFile(PathOf(store, update.digest, kPartial));
}

StatusOr<SpooledUpdate> FileShelf::OpenVerified(const StoreId& store, const BlobName& update) {
  const std::string path = PathOf(store, update.digest, kComplete);
  StatusOr<FileDescriptor> file = OpenFile(path, O_RDONLY);
  if (file.status().code() == StatusCode::kNotFound) {
    return NotFound("there is no complete update {} of {}", update.digest.ShortHex(), store);
  }
  AISLE_RETURN_IF_ERROR(file.status());
  const SpooledUpdate opened(std::make_shared<const FileDescriptor>(*std::move(file)), 0, path);
  if (WasVerified(store, update.digest)) return opened;
  const StatusOr<Digest> digest = DigestOf(opened, update.size);
  if (digest.ok() && *digest == update.digest) {
    NoteVerified(store, update.digest);
    return opened;
  }
  if (!digest.ok() && digest.status().code() != StatusCode::kDataLoss) return digest.status();
  AISLE_COVER("uploads.damaged_on_disk");
  AISLE_RETURN_IF_ERROR(RemoveFile(path));
  return WithReason(DataLoss("update {} of {} was damaged on disk ({}); it is dropped and must be sent again",
                             update.digest.ShortHex(), store, path),
                    Reason::kDigestMismatch);
}

Status FileShelf::Forget(const StoreId& store) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(verified_, [&](const auto& entry) { return entry.first == store; });
  }
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    if (IsFileOf(store, entry->path().filename().string())) AISLE_RETURN_IF_ERROR(RemoveFile(entry->path().string()));
  }
  if (error) return ErrnoStatus(error.value(), "list", folder_);
  return OkStatus();
}

bool FileShelf::WasVerified(const StoreId& store, const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return verified_.contains({store, digest});
}

void FileShelf::NoteVerified(const StoreId& store, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  verified_.insert({store, digest});
}

}  // namespace aisle
