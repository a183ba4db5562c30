// The rows that a store keeps, sealed, on RocksDB.
//
// One column family per table; rows in order of time (row_key.h). Values are sealed with AES-256-GCM under a key of the
// table, derived from the store key, and tied to their table and key; customers stand there only as keyed pseudonyms,
// which are the same in all tables of this store and different in every other store (unless FOLDER/customers.key, the
// chain's key, makes them the same in all stores that have it).
//
// Identity. A row of a table with a `sequence` column is named by that column's value. Any other row is named by its
// content and by how many equal rows came before it in the same file. So a file that is read twice, or again after a
// crash half way, changes nothing; equal rows within one file all count; equal rows in two files are taken for the same
// row: tables where that can happen want a `sequence` column.
//
// Forgetting. ForgetCustomer removes every row of the customer, from the disk too, and puts the pseudonym on a list:
// rows of customers on the list are turned away however often old files are read again, until Readmit. A crash half way
// is made good at the next Open.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/status.h"
#include "base/storage/key_value_store.h"
#include "store-agent/tables/columns.h"
#include "store-agent/tables/row.h"
#include "store-agent/tables/schema.h"

namespace aisle {

class TableWriter;
struct TableStoreState;

// Which rows and columns: those of `time_first` <= time <= `time_last`, all by default.
struct ScanRequest {
  TableName table;
  std::vector<std::string> columns;
  int64_t time_first = std::numeric_limits<int64_t>::min();
  int64_t time_last = std::numeric_limits<int64_t>::max();
  uint64_t bytes_max = uint64_t{1} << 30;  // Of the columns in memory.
};

// Thread-safe. Writers must be gone before the store is.
class TableStore {
 public:
  static constexpr uint64_t kBlockCacheSize = 2 << 20;
  static constexpr uint64_t kWriteBufferSize = 1 << 20;
  static constexpr uint64_t kWriteBuffersTotal = 4 << 20;

  // Opens FOLDER/rows with the key FOLDER/store.key; makes both at the first start. `random` must outlive the store.
  //   FailedPrecondition   a table's declaration changed in a way its rows don't allow, a key file is missing or
  //   another
  //                        than the rows were written under, or another program has the folder open
  //   and what KeyValueStore::Open and LoadStoreKey give.
  // Tables that have rows but aren't declared any more stay on disk, out of reach of plans, and still honour retention
  // and forgetting until they are declared again or dropped.
  static StatusOr<std::unique_ptr<TableStore>> Open(const std::string& folder, const Schema& declared,
                                                    RandomSource& random);
  // Removes a table with all its rows. Only while no store has the folder open. NotFound if there is no such table.
  static Status DropTable(const std::string& folder, const TableName& table);
  ~TableStore();

  std::vector<TableName> tables() const;  // Declared ones, by name.
  // The declaration in force, valid as long as the store. NotFound if the table isn't declared.
  StatusOr<const TableSchema*> SchemaOf(const TableName& table) const;
  StatusOr<uint64_t> RowCount(const TableName& table) const;

  // One writer per file that is read (see Identity above).
  StatusOr<std::unique_ptr<TableWriter>> WriterOf(const TableName& table);

  // The columns as they are now, in key order; rows written meanwhile may be missing. Memory: the columns and one row.
  // NotFound for an unknown table or column, ResourceExhausted beyond bytes_max, DataLoss where a row doesn't open.
  StatusOr<ColumnTable> Scan(const ScanRequest& request) const;

  // `customer` as it stands in the source files. Gives the number of rows removed; OK for one who has none.
  StatusOr<uint64_t> ForgetCustomer(std::string_view customer);
  Status Readmit(std::string_view customer);
  StatusOr<bool> IsForgotten(std::string_view customer) const;
  // Of the list of the forgotten: another whenever it changed.
  Digest ForgottenDigest() const;

  // Removes the rows that are older than their table's retention. Gives their number.
  StatusOr<uint64_t> DropExpired(absl::Time now);

 private:
  explicit TableStore(std::unique_ptr<TableStoreState> state);
  std::unique_ptr<TableStoreState> state_;
};

// What became of a row that was handed to a writer.
enum class RowOutcome : uint8_t {
  kAdded,
  kKnown,      // It was there already.
  kForgotten,  // Its customer was forgotten; the row was turned away.
  kConflict,   // Another row of the same sequence number is there; it stays, this one was turned away.
};

// Takes the rows of one file, in the file's order, and writes them in batches. Not thread-safe.
class TableWriter {
 public:
  static constexpr size_t kBatchRows = 4096;
  static constexpr size_t kBatchSize = 1 << 20;  // Bytes of encoded rows.

  ~TableWriter();
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  // Copies the row, whose customer is the source's own value, into the batch. It must fit the schema.
  Status Add(const Row& row);
  bool full() const;  // The batch should be committed now.
  // Writes the batch, all or nothing, durably, and empties it: what became of each row, in order. After an error the
  // file must be read again from its start, with another writer.
  StatusOr<std::vector<RowOutcome>> Commit();

 private:
  friend class TableStore;
  struct Impl;
  explicit TableWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisle
