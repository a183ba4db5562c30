#include "coordinator/uploads/upload_spool.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/cover.h"
#include "base/reason.h"
#include "coordinator/blobs/incoming_file.h"
#include "coordinator/uploads/file_shelf.h"

namespace aisle {

// What is here of one store's update, shared by all of its streams.
struct UploadSession::Arrival {
  Arrival(const StoreId& store_id, const BlobName& name, std::shared_ptr<ArrivingSum> into)
      : store(store_id), update(name), sum(std::move(into)) {}

  const StoreId store;
  const BlobName update;
  const std::shared_ptr<ArrivingSum> sum;  // May be null.
  std::mutex mutex;
  uint64_t turn = 0;  // Of the newest session; guarded by mutex, as are the rest.
  bool complete = false;
  std::unique_ptr<ArrivingUpdate> incoming;  // Null before the first stream, and when complete or dropped.

  UploadStatus status() const {
    return {.received = complete ? update.size : incoming ? incoming->received() : 0, .complete = complete};
  }
  Status Append(std::string_view data);
  Status Finish();
  void WithdrawFrom(ArrivingSum& from) const;
  void Drop();
};

Status UploadSession::Arrival::Append(std::string_view data) {
  const uint64_t before = incoming->received();
  const Status appended = incoming->Append(data);
  if (sum == nullptr) return appended;
  if (appended.ok())
    sum->Arrived(store, update, before, data);
  else if (incoming->received() < before)
    sum->Lose(store, update);
  return appended;
}

Status UploadSession::Arrival::Finish() {
  const Status finished = incoming->Finish();
  if (!finished.ok() && sum != nullptr) {  // It is dropped, but can still be read.
    sum->Withdraw(store, update,
                  [this](uint64_t offset, char* data, size_t size) { return incoming->ReadBack(offset, data, size); });
  }
  incoming.reset();
  complete = finished.ok();
  return finished;
}

// What is arriving still.
void UploadSession::Arrival::WithdrawFrom(ArrivingSum& from) const {
  from.Withdraw(store, update,
                [this](uint64_t offset, char* data, size_t size) { return incoming->ReadBack(offset, data, size); });
}

void UploadSession::Arrival::Drop() {
  ++turn;  // Sessions still at work learn it from their next call.
  complete = false;
  incoming.reset();
  if (sum != nullptr) sum->Lose(store, update);
}

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
  AISLE_RETURN_IF_ERROR(spool_.Prepare(*arrival_));  // An error of Finish may have dropped it.
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
  if (!fresh.empty()) AISLE_RETURN_IF_ERROR(arrival_->Append(fresh));
  offset_ += data.size();
  return OkStatus();
}

StatusOr<UploadStatus> UploadSession::Finish() {
  const std::lock_guard lock(arrival_->mutex);
  AISLE_RETURN_IF_ERROR(CheckTurn());
  if (arrival_->complete || arrival_->status().received < arrival_->update.size) return arrival_->status();
  if (Status finished = arrival_->Finish(); !finished.ok()) {
    return Annotate(finished, fmt::format("update of {}", arrival_->store));
  }
  return arrival_->status();
}

UploadSpool::UploadSpool(std::string folder, uint64_t update_size, std::unique_ptr<UpdateShelf> shelf)
    : folder_(std::move(folder)), update_size_(update_size), shelf_(std::move(shelf)) {}
UploadSpool::~UploadSpool() = default;

StatusOr<std::unique_ptr<UploadSpool>> UploadSpool::Open(std::string folder, uint64_t update_size,
                                                         uint64_t shared_max) {
  if (update_size == 0 || update_size % 4 != 0 || update_size > kUpdateSizeMax) {
    return InvalidArgument("an update of {} bytes isn't 1 to {} coordinates of 4 bytes", update_size,
                           kUpdateSizeMax / 4);
  }
  if (!FileExists(folder)) {
    AISLE_RETURN_IF_ERROR(NameFullDisk(MakeFolders(folder)));
    AISLE_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(folder).parent_path().string()));
  }
  std::unique_ptr<UpdateShelf> shelf;
  if (update_size <= std::min(shared_max, kSharedUpdateMax)) {
    AISLE_ASSIGN_OR_RETURN(shelf, SharedShelf::Open(folder));
  } else {
    AISLE_RETURN_IF_ERROR(SyncFolder(folder));  // A killed program may have left names in memory only.
    shelf = std::make_unique<FileShelf>(folder);
  }
  return std::unique_ptr<UploadSpool>(new UploadSpool(std::move(folder), update_size, std::move(shelf)));
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

std::shared_ptr<UploadSpool::Arrival> UploadSpool::ArrivalOf(const StoreId& store, const BlobName& update) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Arrival>& arrival = arrivals_[store];
  if (!arrival || arrival->update != update) arrival = std::make_shared<Arrival>(store, update, sum_);
  return arrival;
}

// A store has one upload in hand: another takes its place, so that no store fills the disk with beginnings. A complete
// one may be about to be accepted and stays.
Status UploadSpool::DropOtherPartial(const StoreId& store, const BlobName& update) {
  std::shared_ptr<Arrival> other;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found == arrivals_.end() || found->second->update == update) return OkStatus();
    other = found->second;
  }
  const std::lock_guard lock(other->mutex);
  if (other->complete) return OkStatus();
  other->Drop();
  return shelf_->DropPartial(store, other->update);
}

// Opens what is here of an arrival that this program hasn't seen yet.
Status UploadSpool::Prepare(Arrival& arrival) {
  if (arrival.complete || arrival.incoming) return OkStatus();
  if (shelf_->Has(arrival.store, arrival.update)) {
    arrival.complete = true;
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(arrival.incoming, shelf_->Begin(arrival.store, arrival.update));
  return OkStatus();
}

StatusOr<std::unique_ptr<UploadSession>> UploadSpool::Begin(const StoreId& store, const BlobName& update,
                                                            uint64_t offset) {
  AISLE_RETURN_IF_ERROR(CheckSize(store, update));
  AISLE_RETURN_IF_ERROR(DropOtherPartial(store, update));
  std::shared_ptr<Arrival> arrival = ArrivalOf(store, update);
  const std::lock_guard lock(arrival->mutex);
  AISLE_RETURN_IF_ERROR(Prepare(*arrival));
  const uint64_t received = arrival->status().received;
  if (offset > received) {
    return OutOfRange("update {} of {} is here up to byte {}, but the stream begins at {}; go on from {}",
                      update.digest.ShortHex(), store, received, offset, received);
  }
  const uint64_t turn = ++arrival->turn;
  return std::unique_ptr<UploadSession>(new UploadSession(*this, arrival, turn, offset));
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
    if (arrival->complete || arrival->incoming) return arrival->status();
  }
  if (shelf_->Has(store, update)) return UploadStatus{.received = update.size, .complete = true};
  return UploadStatus{.received = shelf_->PartialSize(store, update)};
}

uint64_t UploadSpool::Received(const StoreId& store) const {
  std::shared_ptr<Arrival> arrival;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found == arrivals_.end()) return 0;
    arrival = found->second;
  }
  const std::unique_lock lock(arrival->mutex, std::try_to_lock);
  return lock.owns_lock() ? arrival->status().received : update_size_;  // Busy: with its last bytes, most likely.
}

StatusOr<SpooledUpdate> UploadSpool::OpenVerified(const StoreId& store, const BlobName& update) {
  AISLE_RETURN_IF_ERROR(CheckSize(store, update));
  StatusOr<SpooledUpdate> opened = shelf_->OpenVerified(store, update);
  if (opened.status().code() == StatusCode::kDataLoss) DropArrival(store);  // It isn't complete any more.
  return opened;
}

void UploadSpool::SumArrivals(std::shared_ptr<ArrivingSum> sum) {
  if (!shelf_->ReadsBack()) return;
  const std::lock_guard lock(mutex_);
  sum_ = std::move(sum);
}

void UploadSpool::Withdraw(const StoreId& store, const BlobName& update, ArrivingSum& sum) {
  std::shared_ptr<Arrival> arrival;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found != arrivals_.end() && found->second->update == update) arrival = found->second;
  }
  if (arrival != nullptr) {
    const std::lock_guard lock(arrival->mutex);
    if (arrival->incoming != nullptr) return arrival->WithdrawFrom(sum);
  }
  const StatusOr<SpooledUpdate> whole = shelf_->OpenVerified(store, update);
  if (!whole.ok()) return sum.Lose(store, update);
  sum.Withdraw(store, update,
               [&](uint64_t offset, char* data, size_t size) { return whole->ReadAt(offset, data, size); });
}

Status UploadSpool::Forget(const StoreId& store) {
  DropArrival(store);
  return shelf_->Forget(store);
}

void UploadSpool::DropArrival(const StoreId& store) {
  std::shared_ptr<Arrival> arrival;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrivals_.find(store);
    if (found == arrivals_.end()) return;
    arrival = std::move(arrivals_.extract(found).mapped());
  }
  const std::lock_guard lock(arrival->mutex);
  arrival->Drop();
}

}  // namespace aisle
