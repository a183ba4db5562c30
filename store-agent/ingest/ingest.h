// A CSV file into a table: good rows go in, bad ones are quarantined, a file that isn't the table's is refused whole.
//
// Refused before anything is written: a file without a header or whose header misses a column of the table, and one in
// which a column of the first batch of rows (up to TableWriter::kBatchRows, or 1 MiB) looks like card numbers. Refused
// half way, with what went in before kept: packed data that turns out to be damaged.
//
// Reading a file again changes nothing (see TableStore on identity), so a file whose reading ended in an error is just
// read again. Every batch is durable when it is counted.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "store-agent/ingest/byte_source.h"
#include "store-agent/ingest/ingest_report.h"
#include "store-agent/tables/table_store.h"

namespace aisle {

struct IngestOptions {
  std::function<bool()> should_stop = [] { return false; };  // Asked between batches.
  CsvLimits limits = {};
};

// Reads the file named `path` (*.csv, or *.gz packed). A refused file is a report, not an error. Errors are the
// store's: ResourceExhausted (disk full), NotFound (file or table), Cancelled (should_stop) and so on; the file may be
// tried again.
StatusOr<IngestReport> IngestFile(TableStore& store, const TableName& table, const std::string& path,
                                  const IngestOptions& options = {});
// As above, from any source; `file` names it in the report.
StatusOr<IngestReport> Ingest(TableStore& store, const TableName& table, ByteSource& source, std::string_view file,
                              const IngestOptions& options = {});

}  // namespace aisle
