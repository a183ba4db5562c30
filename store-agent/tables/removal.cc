// How rows leave: forgotten customers and expired retention.
#include <algorithm>
#include <vector>

#include "base/codec.h"
#include "store-agent/tables/row_key.h"
#include "store-agent/tables/table_store_state.h"

namespace aisle {
namespace {

std::string ForgottenKey(std::string_view pseudonym) { return std::string(kForgottenPrefix).append(pseudonym); }

// Rewrites what lies there now, so that removed bytes leave the disk and not only the view.
Status Scrub(KeyValueStore& database, const TableState& table, std::string_view first, std::string_view end) {
  AISLE_RETURN_IF_ERROR(database.Flush());
  return database.Compact(table.family, first, end);
}

// The pseudonym within a sealed row; empty if its customer is null or the table has none.
StatusOr<std::string> CustomerOf(const TableState& table, const Aead& aead, const Cursor& row) {
  if (!table.schema.customer) return std::string();
  AISLE_ASSIGN_OR_RETURN(const SecretBytes plain, aead.Open(row.value(), table.AssociatedWith(row.key())));
  EncodedRow fields;
  AISLE_RETURN_IF_ERROR(fields.Parse(table.schema, plain.Reveal()));
  return std::string(fields.Field(*table.schema.customer).value_or(std::string_view()));
}

}  // namespace

std::string TableStoreState::PseudonymOf(std::string_view customer) const {
  return std::string(HmacSha256(customer_key, customer).view().substr(0, kPseudonymSize));
}

void TableStoreState::RemoveRow(const TableState& table, const std::string& row_key, std::string_view pseudonym,
                                WriteBatch& batch) {
  batch.Delete(table.family, row_key);
  if (!pseudonym.empty()) batch.Delete(table.family, CustomerKey(pseudonym, row_key));
  if (table.schema.sequence) {
    batch.Delete(table.family, SequenceKey(std::string_view(row_key).substr(1 + kTimeKeySize)));
  }
}

StatusOr<uint64_t> TableStoreState::RemoveCustomerFrom(TableState& table, const std::string& pseudonym) {
  if (!table.schema.customer) return uint64_t{0};
  const std::lock_guard lock(mutex);
  uint64_t removed = 0;
  Cursor entry = database->Prefix(table.family, CustomerPrefix(pseudonym));
  while (entry.Valid()) {
    WriteBatch batch;
    uint64_t rows = 0;
    for (; entry.Valid() && rows < kRemovalBatchRows; entry.Next(), ++rows) {
      AISLE_ASSIGN_OR_RETURN(const std::string row_key, RowKeyOfCustomerKey(entry.key()));
      RemoveRow(table, row_key, pseudonym, batch);
    }
    PutRowCount(table, table.rows - rows, batch);
    AISLE_RETURN_IF_ERROR(database->Write(batch, Durability::kSynced));
    table.rows -= rows;
    removed += rows;
  }
  AISLE_RETURN_IF_ERROR(entry.status());
  return removed;
}

StatusOr<uint64_t> TableStoreState::RemoveCustomer(const std::string& pseudonym) {
  uint64_t removed = 0;
  for (auto& [name, table] : tables) {
    AISLE_ASSIGN_OR_RETURN(const uint64_t rows, RemoveCustomerFrom(table, pseudonym));
    if (rows > 0) AISLE_RETURN_IF_ERROR(Scrub(*database, table, "", ""));
    removed += rows;
  }
  AISLE_RETURN_IF_ERROR(database->Put(meta, ForgottenKey(pseudonym), kForgettingDone, Durability::kSynced));
  return removed;
}

Status TableStoreState::MakeGood() {
  std::vector<std::string> pending;
  Cursor entry = database->Prefix(meta, kForgottenPrefix);
  for (; entry.Valid(); entry.Next()) {
    std::string pseudonym(entry.key().substr(kForgottenPrefix.size()));
    if (entry.value() == kForgettingPending) pending.push_back(pseudonym);
    forgotten.insert(std::move(pseudonym));
  }
  AISLE_RETURN_IF_ERROR(entry.status());
  for (const std::string& pseudonym : pending) AISLE_RETURN_IF_ERROR(RemoveCustomer(pseudonym).status());
  return OkStatus();
}

StatusOr<uint64_t> TableStore::ForgetCustomer(std::string_view customer) {
  const std::string pseudonym = state_->PseudonymOf(customer);
  {
    // First of all on the list: from here on no row of theirs gets in, and a crash is made good at the next start.
    const std::lock_guard lock(state_->mutex);
    AISLE_RETURN_IF_ERROR(
        state_->database->Put(state_->meta, ForgottenKey(pseudonym), kForgettingPending, Durability::kSynced));
    state_->forgotten.insert(pseudonym);
  }
  return state_->RemoveCustomer(pseudonym);
}

Status TableStore::Readmit(std::string_view customer) {
  const std::string pseudonym = state_->PseudonymOf(customer);
  const std::lock_guard lock(state_->mutex);
  if (!state_->forgotten.contains(pseudonym)) return NotFound("that customer isn't on the list of the forgotten");
  WriteBatch batch;
  batch.Delete(state_->meta, ForgottenKey(pseudonym));
  AISLE_RETURN_IF_ERROR(state_->database->Write(batch, Durability::kSynced));
  state_->forgotten.erase(pseudonym);
  return OkStatus();
}

StatusOr<bool> TableStore::IsForgotten(std::string_view customer) const {
  const std::lock_guard lock(state_->mutex);
  return state_->forgotten.contains(state_->PseudonymOf(customer));
}

Digest TableStore::ForgottenDigest() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string_view> list(state_->forgotten.begin(), state_->forgotten.end());
  std::ranges::sort(list);
  Sha256 digest;
  for (const std::string_view pseudonym : list) digest.Update(ByteWriter().String(pseudonym).bytes());
  return digest.Finish();
}

StatusOr<uint64_t> TableStoreState::DropExpiredFrom(TableState& table, int64_t cutoff) {
  const std::lock_guard lock(mutex);
  const Aead aead(table.value_key);
  uint64_t removed = 0;
  Cursor row = database->Range(table.family, std::string(1, kRowMark), RowKeysFrom(cutoff));
  while (row.Valid()) {
    WriteBatch batch;
    uint64_t rows = 0;
    for (; row.Valid() && rows < kRemovalBatchRows; row.Next(), ++rows) {
      StatusOr<std::string> pseudonym = CustomerOf(table, aead, row);
      if (!pseudonym.ok()) return Annotate(pseudonym.status(), fmt::format("table {}", table.schema.name));
      RemoveRow(table, std::string(row.key()), *pseudonym, batch);
    }
    PutRowCount(table, table.rows - rows, batch);
    AISLE_RETURN_IF_ERROR(database->Write(batch, Durability::kSynced));
    table.rows -= rows;
    removed += rows;
  }
  AISLE_RETURN_IF_ERROR(row.status());
  return removed;
}

StatusOr<uint64_t> TableStore::DropExpired(absl::Time now) {
  uint64_t removed = 0;
  for (auto& [name, table] : state_->tables) {
    if (!table.schema.retention) continue;
    const int64_t cutoff = absl::ToUnixSeconds(now - *table.schema.retention);
    AISLE_ASSIGN_OR_RETURN(const uint64_t rows, state_->DropExpiredFrom(table, cutoff));
    if (rows > 0) AISLE_RETURN_IF_ERROR(Scrub(*state_->database, table, "", ""));
    removed += rows;
  }
  return removed;
}

}  // namespace aisle
