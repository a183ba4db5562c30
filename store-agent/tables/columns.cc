#include "store-agent/tables/columns.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"

namespace aisle {

int64_t FingerprintOf(std::string_view text) {
  const Digest digest = Sha256::Of(text);
  int64_t value = 0;
  std::memcpy(&value, digest.bytes.data(), sizeof value);
  return value & std::numeric_limits<int64_t>::max();
}

Column::Column(std::string name, ColumnType type, uint32_t width)
    : name_(std::move(name)),
      type_(type),
      width_(type == ColumnType::kBytes ? width : 0),
      row_size_(type == ColumnType::kBytes ? width : 8) {
  AISLE_CHECK(row_size_ > 0, "column {} of bytes has no width", name_);
}

std::span<const int64_t> Column::int64s() const {
  AISLE_CHECK(type_ != ColumnType::kDouble && type_ != ColumnType::kBytes, "column {} holds no int64", name_);
  return {reinterpret_cast<const int64_t*>(bytes_.data()), rows()};
}

std::span<const double> Column::doubles() const {
  AISLE_CHECK(type_ == ColumnType::kDouble, "column {} holds no double", name_);
  return {reinterpret_cast<const double*>(bytes_.data()), rows()};
}

void Column::AppendNull() {
  switch (type_) {
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
      return Append(kNullInt64);
    case ColumnType::kDouble:
      return Append(std::numeric_limits<double>::quiet_NaN());
    case ColumnType::kString:
    case ColumnType::kCustomer:
      return Append(kNullFingerprint);
    case ColumnType::kBytes:
      bytes_.resize(bytes_.size() + width_, 0);
      return;
  }
}

void Column::Append(int64_t value) {
  AISLE_CHECK(type_ != ColumnType::kDouble && type_ != ColumnType::kBytes, "column {} takes no int64", name_);
  AppendRaw(&value, sizeof value);
}

void Column::Append(double value) {
  AISLE_CHECK(type_ == ColumnType::kDouble, "column {} takes no double", name_);
  AppendRaw(&value, sizeof value);
}

void Column::AppendBytes(std::string_view value) {
  AISLE_CHECK(type_ == ColumnType::kBytes && value.size() == width_, "column {} takes no {} bytes", name_,
              value.size());
  AppendRaw(value.data(), value.size());
}

void Column::Keep(const std::vector<bool>& kept) {
  AISLE_CHECK(kept.size() == rows(), "{} choices for the {} rows of column {}", kept.size(), rows(), name_);
  uint8_t* const begin = bytes_.data();
  uint8_t* end = begin;
  for (size_t row = 0; row < kept.size(); ++row) {
    if (!kept[row]) continue;
    std::memmove(end, begin + row * row_size_, row_size_);
    end += row_size_;
  }
  const auto size = static_cast<size_t>(end - begin);
  Wipe(end, bytes_.size() - size);
  bytes_.resize(size);
}

void Column::AppendRaw(const void* data, size_t size) {
  const auto* raw = static_cast<const uint8_t*>(data);
  bytes_.insert(bytes_.end(), raw, raw + size);
}

const Column* ColumnTable::Find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

uint64_t ColumnTable::bytes() const {
  uint64_t total = 0;
  for (const Column& column : columns) total += column.bytes().size();
  return total;
}

}  // namespace aisle
