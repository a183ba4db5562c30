// Columns of rows as a plan sees them: what leaves the tables for the worker, and nothing else does.
//
// Raw bytes of every column are the worker's wire format (aisle.v1.ColumnData) and a tensor's memory alike:
//   int64       8 bytes per row, little-endian; null is the smallest int64
//   timestamp   as int64, seconds since 1970 UTC
//   double      8 bytes per row, IEEE 754; null is NaN
//   string      int64 fingerprint: the first 8 bytes of SHA-256 of the text, sign bit cleared; null is -1
//   customer    int64 keyed pseudonym, sign bit cleared, the same in all tables of the store; null is -1
//   bytes       `width` bytes per row; null is all zeros
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "plans/plan.h"

namespace aisle {

inline constexpr int64_t kNullInt64 = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kNullFingerprint = -1;

// The int64 that stands for a text, in tables and in plans: never negative.
int64_t FingerprintOf(std::string_view text);

// One column, all rows. Move-only, wiped on destruction, unprintable. Not thread-safe while it grows.
class Column {
 public:
  Column(std::string name, ColumnType type, uint32_t width = 0);
  Column(Column&&) = default;
  Column& operator=(Column&&) = default;
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;

  const std::string& name() const { return name_; }
  ColumnType type() const { return type_; }
  uint32_t width() const { return width_; }        // Bytes per row of kBytes; else 0.
  uint32_t row_size() const { return row_size_; }  // Bytes per row.
  uint64_t rows() const { return bytes_.size() / row_size_; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::span<const int64_t> int64s() const;  // All types but kDouble and kBytes.
  std::span<const double> doubles() const;  // kDouble only.

  void Reserve(uint64_t rows) { bytes_.reserve(rows * row_size_); }
  void AppendNull();
  void Append(int64_t value);          // All types but kDouble and kBytes.
  void Append(double value);           // kDouble only.
  void AppendBytes(std::string_view);  // kBytes only: exactly `width` bytes.
  // Leaves the rows where `kept`, as long as the column, is true; the others are wiped.
  void Keep(const std::vector<bool>& kept);

 private:
  void AppendRaw(const void* data, size_t size);
  std::string name_;
  ColumnType type_;
  uint32_t width_;
  uint32_t row_size_;
  std::vector<uint8_t, WipingAllocator<uint8_t>> bytes_;
};

// Equally long columns of one table, in the order in which they were asked for; rows are in key order (time, identity).
struct ColumnTable {
  std::string name;
  uint64_t rows = 0;
  std::vector<Column> columns;

  const Column* Find(std::string_view column) const;  // Null if it wasn't asked for.
  uint64_t bytes() const;                             // Of all columns.
};

}  // namespace aisle
