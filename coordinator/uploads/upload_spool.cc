#include "coordinator/uploads/upload_spool.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/cover.h"
#include "base/reason.h"
#include "coordinator/blobs/incoming_file.h"

namespace aisle {
namespace {

constexpr std::string_view kPartial = "part";
constexpr std::string_view kComplete = "update";
constexpr size_t kReadSize = 256 << 10;

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

StatusOr<Digest> DigestOfFile(int file, uint64_t size, const std::string& path) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kReadSize);
  Sha256 hash;
  for (uint64_t offset = 0; offset < size; offset += kReadSize) {
    const size_t wanted = std::min<uint64_t>(kReadSize, size - offset);
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file, buffer.get(), wanted, offset, path));
    hash.Update({buffer.get(), wanted});
  }
  return hash.Finish();
}

}  // namespace

// What is here of one store's update, shared by all of its streams.
struct UploadSession::Arrival {
  Arrival(const StoreId& store_id, const BlobName& name) : store(store_id), update(name) {}

  const StoreId store;
  const BlobName update;
  std::mutex mutex;
  uint64_t turn = 0;  // Of the newest session; guarded by mutex, as are the rest.
  bool complete = false;
  std::optional<IncomingFile> file;  // Empty before the first stream, and when complete or dropped.

  UploadStatus status() const {
    return {.received = complete ? update.size : file ? file->received() : 0, .complete = complete};
  }
};

UploadSession::UploadSession(UploadSpool& spool, std::shared_ptr<Arrival> arrival, uint64_t turn, uint64_t offset)
    : spool_(spool), arrival_(std::move(arrival)), turn_(turn), offset_(offset) {}

Status UploadSession::CheckTurn() const {
  if (arrival_->turn == turn_) return OkStatus();
  AISLE_COVER("uploads.taken_over");
  return MakeStatus(StatusCode::kAborted, fmt::format("another stream of {} goes on with update {}", arrival_->store,
                                                      arrival_->update.digest.ShortHex()));
}

Status UploadSession::Append(std::string_view data) {
  const std::lock_guard lock(arrival_->mutex);
  AISLE_RETURN_IF_ERROR(CheckTurn());
  const uint64_t received = arrival_->status().received;
  if (offset_ > received) {
    return MakeStatus(StatusCode::kAborted,
                      fmt::format("update {} of {} was dropped after an error; send it again from byte {}",
                                  arrival_->update.digest.ShortHex(), arrival_->store, received));
  }
  const size_t overlap = std::min<uint64_t>(received - offset_, data.size());
  const std::string_view fresh = data.substr(overlap);
  if (arrival_->complete && !fresh.empty()) {
    return WithReason(InvalidArgument("update {} of {} has {} bytes, but more came", arrival_->update.digest.ShortHex(),
                                      arrival_->store, arrival_->update.size),
                      Reason::kSizeMismatch);
  }
  if (!fresh.empty()) AISLE_RETURN_IF_ERROR(arrival_->file->Append(fresh));
  offset_ += data.size();
  return OkStatus();
}

StatusOr<UploadStatus> UploadSession::Finish() {
  const std::lock_guard lock(arrival_->mutex);
  AISLE_RETURN_IF_ERROR(CheckTurn());
  if (arrival_->complete || arrival_->status().received < arrival_->update.size) return arrival_->status();
  return Complete();
}

StatusOr<UploadStatus> UploadSession::Complete() {
  Status finished = arrival_->file->Finish();
  if (finished.ok()) finished = spool_.folder_sync_.Sync();
  arrival_->file.reset();
  if (!finished.ok()) return Annotate(finished, fmt::format("update of {}", arrival_->store));
  arrival_->complete = true;
  spool_.NoteVerified(arrival_->store, arrival_->update.digest);
  return arrival_->status();
}

UploadSpool::UploadSpool(std::string folder, uint64_t update_size)
    : folder_(std::move(folder)), update_size_(update_size), folder_sync_(folder_) {}
UploadSpool::~UploadSpool() = default;

StatusOr<std::unique_ptr<UploadSpool>> UploadSpool::Open(std::string folder, uint64_t update_size) {
  if (update_size == 0 || update_size % 4 != 0 || update_size > kUpdateSizeMax) {
    return InvalidArgument("an update of {} bytes isn't 1 to {} coordinates of 4 bytes", update_size,
                           kUpdateSizeMax / 4);
  }
  if (!FileExists(folder)) {
    AISLE_RETURN_IF_ERROR(NameFullDisk(MakeFolders(folder)));
    AISLE_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(folder).parent_path().string()));
  }
  return std::unique_ptr<UploadSpool>(new UploadSpool(std::move(folder), update_size));
}

Status UploadSpool::Remove(const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) return ErrnoStatus(error.value(), "remove the spool", folder);
  return OkStatus();
}

Status UploadSpool::CheckSize(const StoreId& store, const BlobName& update) const {
  if (update.size == update_size_) return OkStatus();
  return WithReason(
      InvalidArgument("the update of {} has {} bytes; this round's have {}", store, update.size, update_size_),
      Reason::kSizeMismatch);
}

std::string UploadSpool::PathOf(const StoreId& store, const Digest& digest, std::string_view ending) const {
  return fmt::format("{}/{}", folder_, FileName(store, digest, ending));
}

bool UploadSpool::IsComplete(const StoreId& store, const BlobName& update) const {
  const StatusOr<uint64_t> size = FileSize(PathOf(store, update.digest, kComplete));
  return size.ok() && *size == update.size;  // Otherwise the disk cut it: as if it had not come.
}

std::shared_ptr<UploadSpool::Arrival> UploadSpool::ArrivalOf(const StoreId& store, const BlobName& update) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Arrival>& arrival = arrivals_[store];
  if (!arrival || arrival->update != update) arrival = std::make_shared<Arrival>(store, update);
  return arrival;
}

// Opens what is on the disk of an arrival that this program hasn't seen yet.
Status UploadSpool::Prepare(Arrival& arrival) {
  if (arrival.complete || arrival.file) return OkStatus();
  if (IsComplete(arrival.store, arrival.update)) {
    arrival.complete = true;
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(IncomingFile file,
                         IncomingFile::Open({.partial = PathOf(arrival.store, arrival.update.digest, kPartial),
                                             .complete = PathOf(arrival.store, arrival.update.digest, kComplete)},
                                            arrival.update));
  arrival.file.emplace(std::move(file));
  return OkStatus();
}

StatusOr<std::unique_ptr<UploadSession>> UploadSpool::Begin(const StoreId& store, const BlobName& update,
                                                            uint64_t offset) {
  AISLE_RETURN_IF_ERROR(CheckSize(store, update));
  std::shared_ptr<Arrival> arrival = ArrivalOf(store, update);
  const std::lock_guard lock(arrival->mutex);
  AISLE_RETURN_IF_ERROR(Prepare(*arrival));
  const uint64_t received = arrival->status().received;
  if (offset > received) {
    return OutOfRange("update {} of {} is here up to byte {}, but the stream begins at {}; go on from {}",
                      update.digest.ShortHex(), store, received, offset, received);
  }
  const uint64_t turn = ++arrival->turn;
  return std::unique_ptr<UploadSession>(new UploadSession(*this, std::move(arrival), turn, offset));
}

StatusOr<UploadStatus> UploadSpool::Find(const StoreId& store, const BlobName& update) const {
  AISLE_RETURN_IF_ERROR(CheckSize(store, update));
  std::shared_ptr<Arrival> arrival;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found != arrivals_.end() && found->second->update == update) arrival = found->second;
  }
  if (arrival) {
    const std::lock_guard lock(arrival->mutex);
    if (arrival->complete || arrival->file) return arrival->status();
  }
  if (IsComplete(store, update)) return UploadStatus{.received = update.size, .complete = true};
  const StatusOr<uint64_t> size = FileSize(PathOf(store, update.digest, kPartial));
  return UploadStatus{.received = size.ok() && *size <= update.size ? *size : 0};
}

StatusOr<FileDescriptor> UploadSpool::OpenVerified(const StoreId& store, const BlobName& update) {
  AISLE_RETURN_IF_ERROR(CheckSize(store, update));
  const std::string path = PathOf(store, update.digest, kComplete);
  StatusOr<FileDescriptor> file = OpenFile(path, O_RDONLY);
  if (file.status().code() == StatusCode::kNotFound) {
    return NotFound("there is no complete update {} of {}", update.digest.ShortHex(), store);
  }
  AISLE_RETURN_IF_ERROR(file.status());
  if (WasVerified(store, update.digest)) return file;
  StatusOr<Digest> digest = DigestOfFile(file->get(), update.size, path);
  if (digest.ok() && *digest == update.digest) {
    NoteVerified(store, update.digest);
    return file;
  }
  if (!digest.ok() && digest.status().code() != StatusCode::kDataLoss) return digest.status();
  AISLE_COVER("uploads.damaged_on_disk");
  DropArrival(store);
  AISLE_RETURN_IF_ERROR(RemoveFile(path));
  return WithReason(DataLoss("update {} of {} was damaged on disk ({}); it is dropped and must be sent again",
                             update.digest.ShortHex(), store, path),
                    Reason::kDigestMismatch);
}

Status UploadSpool::Forget(const StoreId& store) {
  DropArrival(store);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    if (IsFileOf(store, entry->path().filename().string())) AISLE_RETURN_IF_ERROR(RemoveFile(entry->path().string()));
  }
  if (error) return ErrnoStatus(error.value(), "list", folder_);
  return OkStatus();
}

void UploadSpool::DropArrival(const StoreId& store) {
  std::shared_ptr<Arrival> arrival;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found != arrivals_.end()) arrival = std::move(arrivals_.extract(found).mapped());
    std::erase_if(verified_, [&](const auto& entry) { return entry.first == store; });
  }
  if (!arrival) return;
  const std::lock_guard lock(arrival->mutex);
  ++arrival->turn;  // Sessions still at work learn it from their next call.
  arrival->complete = false;
  arrival->file.reset();
}

bool UploadSpool::WasVerified(const StoreId& store, const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return verified_.contains({store, digest});
}

void UploadSpool::NoteVerified(const StoreId& store, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  verified_.insert({store, digest});
}

}  // namespace aisle
