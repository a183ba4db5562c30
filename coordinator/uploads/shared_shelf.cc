#include "coordinator/uploads/shared_shelf.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/codec.h"
#include "base/cover.h"
#include "base/reason.h"
#include "coordinator/blobs/incoming_file.h"

namespace aisle {
namespace {

constexpr std::string_view kMagic = "AISLEUP1";
constexpr size_t kRecordSizeMax = kMagic.size() + 4 + kNameLengthMax + Digest::kSize + 4 + kSharedUpdateMax;

// How far on the next record may begin, in bytes that don't begin with one.
size_t NextMagic(std::string_view bytes) {
  const size_t found = bytes.find(kMagic, 1);
  if (found != std::string_view::npos) return found;
  return bytes.size() < kRecordSizeMax ? bytes.size() : bytes.size() - (kMagic.size() - 1);
}

}  // namespace

struct SharedShelf::Record {
  StoreId store;
  Digest digest;
  std::string_view payload;

  // One without a payload takes back what its store sent, and has a digest of zeros.
  bool sound() const { return digest == (payload.empty() ? Digest{} : Sha256::Of(payload)); }

  // The next record of `bytes`; nullopt if it is cut or isn't one.
  static std::optional<Record> Read(ByteReader& bytes) {
    if (bytes.Raw(kMagic.size()) != kMagic) return std::nullopt;
    const StatusOr<StoreId> store = StoreId::Parse(bytes.String(kNameLengthMax));
    const Digest digest = bytes.ReadDigest();
    const std::string_view payload = bytes.String(kSharedUpdateMax);
    if (!bytes.ok() || !store.ok()) return std::nullopt;
    return Record{.store = *store, .digest = digest, .payload = payload};
  }
};

class SharedShelf::Arriving final : public ArrivingUpdate {
 public:
  Arriving(SharedShelf& shelf, StoreId store, const BlobName& update)
      : shelf_(shelf), store_(std::move(store)), update_(update) {}

  uint64_t received() const override { return bytes_.size(); }
  Status Append(std::string_view data) override {
    if (data.size() > update_.size - bytes_.size()) {
      return WithReason(InvalidArgument("{} was promised with {} bytes, but {} or more came", update_.digest.ShortHex(),
                                        update_.size, bytes_.size() + data.size()),
                        Reason::kSizeMismatch);
    }
    if (bytes_.empty()) bytes_.reserve(update_.size);
    bytes_.append(data);
    return OkStatus();
  }
  Status ReadBack(uint64_t, char*, size_t) override { return Unavailable("small updates aren't read back"); }
  Status Finish() override {
    const std::string bytes = std::move(bytes_);
    bytes_.clear();
    const Digest digest = Sha256::Of(bytes);
    if (digest == update_.digest) return shelf_.Write(store_, digest, bytes);
    return WithReason(DataLoss("the {} bytes that came have digest {}, promised was {}; send them again from the start",
                               bytes.size(), digest.ShortHex(), update_.digest.ShortHex()),
                      Reason::kDigestMismatch);
  }

 private:
  SharedShelf& shelf_;
  const StoreId store_;
  const BlobName update_;
  std::string bytes_;
};

SharedShelf::SharedShelf(FileDescriptor file, std::string path)
    : file_(std::make_shared<const FileDescriptor>(std::move(file))),
      path_(std::move(path)),
      sync_([this] { return SyncData(file_->get(), path_); }) {}

StatusOr<std::unique_ptr<SharedShelf>> SharedShelf::Open(const std::string& folder) {
  std::string path = folder + "/updates";
  StatusOr<FileDescriptor> file = OpenFile(path, O_RDWR | O_CREAT);
  if (!file.ok()) return NameFullDisk(file.status());
  AISLE_RETURN_IF_ERROR(SyncFolder(folder));
  std::unique_ptr<SharedShelf> shelf(new SharedShelf(*std::move(file), std::move(path)));
  AISLE_RETURN_IF_ERROR(shelf->Load());
  AISLE_RETURN_IF_ERROR(SyncData(shelf->file_->get(), shelf->path_));  // A killed program may have left it in memory.
  return shelf;
}

Status SharedShelf::Load() {
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path_));
  std::string window;
  uint64_t doubtful_until = 0;  // What looks like a record before here may be a store's payload.
  for (uint64_t at = 0; at < size;) {
    window.resize(std::min<uint64_t>(kRecordSizeMax, size - at));
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file_->get(), window.data(), window.size(), at, path_));
    ByteReader bytes(window);
    const std::optional<Record> record = Record::Read(bytes);
    const uint64_t end = at + (window.size() - bytes.remaining());
    if (!record || !record->sound()) {
      // Its size may be what is damaged: others that were taken since may lie within what it claims.
      if (record) AISLE_COVER("uploads.damaged_on_disk");
      doubtful_until = record ? std::max(doubtful_until, end) : size;
      at += NextMagic(window);
      continue;
    }
    // A made-up one that takes back an update mustn't make others' updates void.
    if (at >= doubtful_until || !record->payload.empty()) Index(*record, end);
    end_ = at = end;
  }
  if (end_ < size && ::ftruncate(file_->get(), static_cast<off_t>(end_)) != 0) {
    return ErrnoStatus(errno, "cut the end of", path_);
  }
  return OkStatus();
}

void SharedShelf::Index(const Record& record, uint64_t end) {
  if (record.payload.empty()) {
    std::erase_if(begins_, [&](const auto& entry) { return entry.first.first == record.store; });
  } else {
    begins_[{record.store, record.digest}] = end - record.payload.size();
  }
}

bool SharedShelf::Has(const StoreId& store, const BlobName& update) const {
  const std::lock_guard lock(mutex_);
  return begins_.contains({store, update.digest});
}

StatusOr<std::unique_ptr<ArrivingUpdate>> SharedShelf::Begin(const StoreId& store, const BlobName& update) {
  return std::unique_ptr<ArrivingUpdate>(std::make_unique<Arriving>(*this, store, update));
}

StatusOr<SpooledUpdate> SharedShelf::OpenVerified(const StoreId& store, const BlobName& update) {
  const std::lock_guard lock(mutex_);
  const auto found = begins_.find({store, update.digest});
  if (found != begins_.end()) return SpooledUpdate(file_, found->second, path_);
  return NotFound("there is no complete update {} of {}", update.digest.ShortHex(), store);
}

Status SharedShelf::Forget(const StoreId& store) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(begins_, [&](const auto& entry) { return entry.first.first == store; });
  }
  return Write(store, Digest{}, "");
}

Status SharedShelf::Write(const StoreId& store, const Digest& digest, std::string_view payload) {
  StatusOr<uint64_t> begin = WriteRecord(store, digest, payload);
  if (!begin.ok()) return NameFullDisk(begin.status());
  AISLE_COVER("commit.upload.before");
  AISLE_RETURN_IF_ERROR(NameFullDisk(sync_.Sync()));
  AISLE_COVER("commit.upload.after");
  if (payload.empty()) return OkStatus();
  const std::lock_guard lock(mutex_);
  begins_[{store, digest}] = *begin;
  return OkStatus();
}

// Where the payload begins in the file.
StatusOr<uint64_t> SharedShelf::WriteRecord(const StoreId& store, const Digest& digest, std::string_view payload) {
  ByteWriter record;
  record.Raw(kMagic).String(store.str()).Put(digest).String(payload);
  const std::lock_guard lock(mutex_);
  Status written = WriteAllAt(file_->get(), record.bytes(), end_, path_);
  if (!written.ok()) {
    if (::ftruncate(file_->get(), static_cast<off_t>(end_)) != 0) return ErrnoStatus(errno, "cut the end of", path_);
    return written;
  }
  end_ += record.bytes().size();
  return end_ - payload.size();
}

}  // namespace aisle
