// From the fields of a CSV record to a row that fits its table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store-agent/ingest/csv_reader.h"
#include "store-agent/tables/row.h"
#include "store-agent/tables/schema.h"

namespace aisle {

// Why a record isn't a row of the table. The text names column and limit and never quotes the data.
struct RowMistake {
  RowFault fault = RowFault::kType;
  std::string text;
};

// How values are written, after spaces around them are dropped (strings are taken as they are):
//   int64       decimal, a zero fraction allowed: 12, -3, 26.0
//   double      decimal or exponent notation; no infinities, no NaN
//   timestamp   see ParseTimestamp
//   string      UTF-8, at most kStringLengthMax bytes
//   bytes       exactly `size` bytes in hexadecimal or base64
// An empty field is null; in a string column that isn't nullable it is the empty text.
class RowParser {
 public:
  // InvalidArgument naming every column that the header misses or has twice. `schema` must outlive the parser.
  static StatusOr<RowParser> Make(const TableSchema& schema, std::span<const std::string_view> header);

  // Headers that no column of the table reads.
  const std::vector<std::string>& ignored() const { return ignored_; }
  const std::vector<std::string>& header() const { return header_; }

  // Sets all of `row`, or says why not; then `row` is of no use.
  std::optional<RowMistake> Parse(std::span<const std::string_view> fields, Row& row) const;

 private:
  explicit RowParser(const TableSchema& schema) : schema_(&schema) {}
  const TableSchema* schema_;
  std::vector<std::string> header_;
  std::vector<size_t> field_of_column_;
  std::vector<std::string> ignored_;
};

bool IsValidUtf8(std::string_view text);

}  // namespace aisle
