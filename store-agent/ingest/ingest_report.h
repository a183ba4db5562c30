// What came of one file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "store-agent/ingest/row_parser.h"

namespace aisle {

// A row that stays out.
struct QuarantinedRow {
  uint64_t line = 0;  // Of the file, from 1.
  RowFault fault = RowFault::kType;
  std::string reason;  // Names the column and the limit; never the data.
};

// Every row read is exactly one of added, known, forgotten and quarantined.
struct IngestReport {
  static constexpr size_t kQuarantineListMax = 1000;  // Rows told one by one; all are counted.

  std::string file;
  TableName table;
  std::string refusal;  // Why the file was refused; empty if it was taken.
  uint64_t rows_read = 0;
  uint64_t rows_added = 0;
  uint64_t rows_known = 0;      // Were there already.
  uint64_t rows_forgotten = 0;  // Of customers who were forgotten.
  uint64_t rows_quarantined = 0;
  std::map<RowFault, uint64_t> faults = {};      // Quarantined rows by reason.
  std::vector<QuarantinedRow> quarantined = {};  // The first ones.
  std::vector<std::string> ignored_columns = {};
  double seconds = 0;

  bool refused() const { return !refusal.empty(); }
  void Quarantine(uint64_t line, RowFault fault, std::string reason);
};

// For programs, indented, with a line feed at the end.
std::string ToJson(const IngestReport& report);
// For people, one line: "sales.csv: 120 rows read, 118 added, 2 quarantined (type 2)".
std::string Summary(const IngestReport& report);

}  // namespace aisle
