#include "store-agent/transfer/byte_meter.h"

#include "base/codec.h"
#include "base/log.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr std::string_view kMeterMagic = "AISLEBM1";

}  // namespace

ByteMeter::ByteMeter(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {
  day_ = DayOf(clock_.Now());
  const StatusOr<std::string> bytes = ReadFile(path_, 4096);
  if (!bytes.ok()) return;  // A new store.
  ByteReader in(*bytes);
  const bool known = in.Raw(kMeterMagic.size()) == kMeterMagic;
  const int64_t day = in.I64();
  const uint64_t today = in.U64();
  if (!known || !in.Finish("byte count").ok()) {
    LogWarning("{} is damaged; today's transfers are counted from zero", path_);
    return;
  }
  if (day == day_) today_ = today;
}

int64_t ByteMeter::DayOf(absl::Time time) const { return absl::ToUnixSeconds(time) / 86400; }

void ByteMeter::CountUp(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Count(bytes, total_up_);
}

void ByteMeter::CountDown(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Count(bytes, total_down_);
}

void ByteMeter::Count(uint64_t bytes, uint64_t& total) {
  total += bytes;
  const int64_t day = DayOf(clock_.Now());
  if (day != day_) {
    day_ = day;
    today_ = 0;
  }
  today_ += bytes;
  unsaved_ += bytes;
  if (unsaved_ >= kSaveEvery) (void)SaveLocked();
}

Status ByteMeter::Save() {
  const std::lock_guard lock(mutex_);
  return unsaved_ == 0 ? OkStatus() : SaveLocked();
}

Status ByteMeter::SaveLocked() {
  ByteWriter out;
  out.Raw(kMeterMagic).I64(day_).U64(today_);
  AISLE_RETURN_IF_ERROR(WriteFileDurably(path_, out.bytes()));
  unsaved_ = 0;
  return OkStatus();
}

uint64_t ByteMeter::today() const {
  const std::lock_guard lock(mutex_);
  return DayOf(clock_.Now()) == day_ ? today_ : 0;
}

uint64_t ByteMeter::total_up() const {
  const std::lock_guard lock(mutex_);
  return total_up_;
}

uint64_t ByteMeter::total_down() const {
  const std::lock_guard lock(mutex_);
  return total_down_;
}

}  // namespace aisle
