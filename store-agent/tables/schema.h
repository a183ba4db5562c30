// What a store keeps: its tables as tables.toml declares them.
//
//   [sales]                   # The table's name.
//   time = "week"             # Optional: the int64 or timestamp column that orders rows.
//   customer = "household"    # Optional: an int64 or string column. Only a keyed pseudonym of it is ever kept.
//   retention = "1095d"       # Optional: rows older than this are dropped. Needs a timestamp as time.
//   sequence = "line_id"      # Optional: the source's own number of a row (int64 or string).
//   [sales.columns]
//   week  = {type = "int64", unit = "week", range = [0, 10000]}
//   price = {type = "double", unit = "USD/oz", range = [0, 10], nullable = true}
//   photo = {type = "bytes", size = 3072}
//   when  = {type = "timestamp", range = ["2015-01-01", "2050-01-01"]}
//   size  = {type = "string", header = "Package Size"}      # The CSV header, where it isn't the column's name.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle {

inline constexpr size_t kTableColumnsMax = 256;
inline constexpr uint32_t kBytesWidthMax = 1 << 18;   // Bytes of one `bytes` value.
inline constexpr size_t kStringLengthMax = 64 << 10;  // Bytes of one `string` value.

// One column. `type` is as declared: never kCustomer (see TableSchema::TypeInPlans).
struct ColumnSpec {
  std::string name;    // 1 to 64 characters of [A-Za-z0-9._-].
  std::string header;  // Of the CSV column; the name unless declared otherwise.
  ColumnType type = ColumnType::kInt64;
  std::string unit;  // For people.
  bool nullable = false;
  uint32_t width = 0;  // Bytes; kBytes only.
  // Inclusive. Int64 and timestamp use the first pair, double the second.
  int64_t int_min = std::numeric_limits<int64_t>::min();
  int64_t int_max = std::numeric_limits<int64_t>::max();
  double real_min = std::numeric_limits<double>::lowest();
  double real_max = std::numeric_limits<double>::max();
  bool operator==(const ColumnSpec&) const = default;
};

struct TableSchema {
  TableName name;
  std::vector<ColumnSpec> columns;  // In the file's order.
  std::optional<size_t> time;       // Index of a column; likewise below.
  std::optional<size_t> customer;
  std::optional<size_t> sequence;
  std::optional<absl::Duration> retention;
  bool operator==(const TableSchema&) const = default;

  std::optional<size_t> IndexOf(std::string_view column) const;
  // The column's type as plans see it: kCustomer for the customer column.
  ColumnType TypeInPlans(size_t column) const;
};

struct Schema {
  std::vector<TableSchema> tables;  // In the file's order.

  // InvalidArgument listing every mistake with its line. `origin` names the file in messages.
  static StatusOr<Schema> Parse(std::string_view toml, std::string_view origin = "tables.toml");
  static StatusOr<Schema> ParseFile(const std::string& path);
  const TableSchema* Find(const TableName& table) const;  // Null if it isn't declared.
};

// Seconds since 1970 UTC of "2026-01-31", "2026-01-31 08:00[:00[.5]]" (also with T), optionally followed by Z or an
// offset such as +01:00; fractions are cut off. Years 1 to 9999. Nullopt for anything else.
std::optional<int64_t> ParseTimestamp(std::string_view text);

}  // namespace aisle
