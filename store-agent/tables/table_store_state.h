// What TableStore and TableWriter share. Private to this folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/crypto/aead.h"
#include "base/storage/key_value_store.h"
#include "store-agent/tables/table_store.h"

namespace aisle {

// One table. Everything but `rows` is fixed once the store is open.
struct TableState {
  TableSchema schema;
  Family family;
  SecretBytes value_key;
  SecretBytes identity_key;
  uint64_t rows = 0;     // Guarded by TableStoreState::mutex.
  bool retired = false;  // No longer declared.

  // What a sealed row is tied to: its table and its key.
  std::string AssociatedWith(std::string_view row_key) const;
};

struct TableStoreState {
  std::unique_ptr<KeyValueStore> database;
  Family meta;
  Family scratch;
  SecretBytes customer_key;
  std::map<TableName, TableState> tables;

  mutable std::mutex mutex;                   // One change at a time.
  std::unordered_set<std::string> forgotten;  // Pseudonyms; guarded by mutex.
  std::unique_ptr<AesCtrStream> nonces;       // Guarded by mutex.
  uint64_t sessions = 0;                      // Guarded by mutex.

  StatusOr<TableState*> Declared(const TableName& table);
  std::string PseudonymOf(std::string_view customer) const;

  // Adds the removal of a row and of its index entries to the batch. `pseudonym` is empty for rows without a customer.
  static void RemoveRow(const TableState& table, const std::string& row_key, std::string_view pseudonym,
                        WriteBatch& batch);
  void PutRowCount(const TableState& table, uint64_t rows, WriteBatch& batch) const;
  // Removes all rows of the customer from one table or all. Gives their number. Holds the mutex per batch.
  StatusOr<uint64_t> RemoveCustomer(const std::string& pseudonym);
  StatusOr<uint64_t> RemoveCustomerFrom(TableState& table, const std::string& pseudonym);
  StatusOr<uint64_t> DropExpiredFrom(TableState& table, int64_t cutoff);
  Status MakeGood();  // Finishes what a crash interrupted.
};

inline constexpr size_t kRemovalBatchRows = 4096;
inline constexpr std::string_view kForgottenPrefix = "forgotten/";
inline constexpr std::string_view kForgettingPending = "pending";
inline constexpr std::string_view kForgettingDone = "done";

}  // namespace aisle
