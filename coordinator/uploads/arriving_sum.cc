#include "coordinator/uploads/arriving_sum.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/cover.h"

namespace aisle {

ModularSum& ArrivingSum::Sum() {
  if (!sum_) sum_.emplace(length_);
  return *sum_;
}

void ArrivingSum::Arrived(const StoreId& store, const BlobName& update, uint64_t offset, std::string_view data) {
  const size_t whole = data.size() - data.size() % ModularSum::kCoordinateSize;
  const std::lock_guard lock(mutex_);
  if (closed_ || whole == 0) return;
  auto portion = portions_.find({store, update});
  if (portion == portions_.end() && offset == 0) portion = portions_.emplace(std::pair(store, update), 0).first;
  if (portion == portions_.end() || portion->second != offset) return;
  const Status added = Sum().AddBytes(data.substr(0, whole), offset / ModularSum::kCoordinateSize);
  AISLE_CHECK(added.ok(), "{}", MessageOf(added));  // The spool takes no more bytes than an update has.
  portion->second += whole;
}

Status ArrivingSum::Complete(const StoreId& store, const BlobName& update, const Reader& read) {
  std::unique_ptr<char[]> buffer;
  for (;;) {
    const uint64_t offset = BytesOf(store, update);
    if (offset >= update.size) return OkStatus();
    const size_t size = std::min<uint64_t>(kPieceSize, update.size - offset);
    if (buffer == nullptr) buffer = std::make_unique_for_overwrite<char[]>(kPieceSize);
    AISLE_RETURN_IF_ERROR(read(offset, buffer.get(), size));
    const std::lock_guard lock(mutex_);
    AISLE_RETURN_IF_ERROR(Sum().AddBytes({buffer.get(), size}, offset / ModularSum::kCoordinateSize));
    portions_[{store, update}] = offset + size;
  }
}

void ArrivingSum::Withdraw(const StoreId& store, const BlobName& update, const Reader& read) {
  uint64_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto portion = portions_.extract({store, update});
    if (portion.empty() || portion.mapped() == 0) return;
    left = portion.mapped();
    ++withdrawing_;
  }
  AISLE_COVER("uploads.withdrawn");
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceSize);
  Status out;
  for (uint64_t offset = 0; out.ok() && left > 0;) {
    const size_t size = std::min<uint64_t>(kPieceSize, left);
    out = read(offset, buffer.get(), size);
    const std::lock_guard lock(mutex_);
    if (out.ok()) out = Sum().SubtractBytes({buffer.get(), size}, offset / ModularSum::kCoordinateSize);
    offset += size;
    left -= size;
  }
  const std::lock_guard lock(mutex_);
  spoilt_ = spoilt_ || !out.ok();
  --withdrawing_;
  withdrawn_.notify_all();
}

void ArrivingSum::Lose(const StoreId& store, const BlobName& update) {
  const std::lock_guard lock(mutex_);
  const auto portion = portions_.extract({store, update});
  spoilt_ = spoilt_ || (!portion.empty() && portion.mapped() > 0);
}

uint64_t ArrivingSum::BytesOf(const StoreId& store, const BlobName& update) const {
  const std::lock_guard lock(mutex_);
  const auto portion = portions_.find({store, update});
  return portion == portions_.end() ? 0 : portion->second;
}

void ArrivingSum::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  withdrawn_.wait(lock, [this] { return withdrawing_ == 0; });
}

std::vector<ArrivingSum::Share> ArrivingSum::shares() const {
  const std::lock_guard lock(mutex_);
  std::vector<Share> shares;
  for (const auto& [whose, bytes] : portions_) {
    shares.push_back({.store = whose.first, .update = whose.second, .bytes = bytes});
  }
  return shares;
}

bool ArrivingSum::spoilt() const {
  const std::lock_guard lock(mutex_);
  return spoilt_;
}

void ArrivingSum::Clear() {
  const std::lock_guard lock(mutex_);
  if (sum_) sum_->Clear();
  portions_.clear();
  spoilt_ = false;
}

ModularSum ArrivingSum::Take() {
  const std::lock_guard lock(mutex_);
  ModularSum taken = std::move(Sum());
  sum_.reset();
  portions_.clear();
  return taken;
}

}  // namespace aisle
