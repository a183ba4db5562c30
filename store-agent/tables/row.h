// Rows as values, and their one canonical form as bytes.
//
// Encoded row: u8 size of a bitmap, the bitmap (bit i set: column i is there; trailing zero bytes are left off), then
// the values that are there in column order: int64, timestamp and double as 8 bytes little-endian; string as u32 length
// and bytes; bytes as they are; the customer as the 16 bytes of the pseudonym. A column added later that is null leaves
// the form of a row as it was, so that a row keeps its identity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "store-agent/tables/columns.h"
#include "store-agent/tables/schema.h"

namespace aisle {

inline constexpr size_t kPseudonymSize = 16;

using Value = std::variant<std::monostate, int64_t, double, std::string>;  // Monostate is null.

// One row in the order of the schema's columns. Wiped on destruction, unprintable. `Clear` keeps the memory for the
// next.
class Row {
 public:
  explicit Row(size_t columns) : values_(columns) {}
  ~Row() { Clear(); }
  Row(Row&&) = default;
  Row& operator=(Row&&) = default;
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  size_t size() const { return values_.size(); }
  const Value& operator[](size_t column) const { return values_[column]; }
  void Set(size_t column, int64_t value) { values_[column] = value; }
  void Set(size_t column, double value) { values_[column] = value; }
  void Set(size_t column, std::string_view value);
  void SetNull(size_t column);
  void Clear();

 private:
  std::vector<Value> values_;
};

// Appends the canonical form of `row` to `out`. `pseudonym` stands in for the customer's value where that isn't null.
// The row must fit the schema (types, null only where allowed): else it is our bug.
void EncodeRow(const TableSchema& schema, const Row& row, std::string_view pseudonym, std::string& out);

// The fields of an encoded row, still as bytes and within it. Used again for many rows.
class EncodedRow {
 public:
  // DataLoss if `bytes` isn't a canonical row of the schema (of today or of before columns were added).
  Status Parse(const TableSchema& schema, std::string_view bytes);
  // Nullopt for null. Until the next Parse.
  std::optional<std::string_view> Field(size_t column) const { return fields_[column]; }
  // Appends the field to a column of the type that plans see.
  void AppendTo(size_t column, Column& target) const;

 private:
  std::vector<std::optional<std::string_view>> fields_;
};

}  // namespace aisle
