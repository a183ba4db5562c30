// TableWriter: rows in, sealed batches out.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/check.h"
#include "base/codec.h"
#include "base/cover.h"
#include "store-agent/tables/occurrences.h"
#include "store-agent/tables/row_key.h"
#include "store-agent/tables/table_store_state.h"

namespace aisle {
namespace {

// The source's own text of a customer: so that 17850 is one customer whether a table calls it int64 or string.
std::string CustomerText(const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  return std::get<std::string>(value);
}

std::string IdentityFrom(const Digest& digest) { return std::string(digest.view().substr(0, kRowIdentitySize)); }

uint64_t MarkFrom(const Digest& digest) {
  uint64_t mark = 0;
  std::memcpy(&mark, digest.bytes.data(), sizeof mark);
  return mark;
}

}  // namespace

struct TableWriter::Impl {
  struct Pending {
    std::string row_key;
    std::string encoded;
    std::string pseudonym;  // Empty: no customer.
    uint64_t content = 0;   // A keyed mark of the row's content.
  };

  Impl(TableStoreState& shared, TableState& into, uint64_t session)
      : state(shared),
        table(into),
        identities(into.identity_key),
        customers(shared.customer_key),
        aead(into.value_key),
        occurrences(*shared.database, shared.scratch, session) {}
  ~Impl() { Clear(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  StatusOr<std::string> IdentityOf(const Row& row, const Digest& content);
  using Puts = std::vector<std::pair<std::string, std::string>>;
  StatusOr<RowOutcome> Place(const Pending& row, Puts& puts);
  StatusOr<RowOutcome> PlaceBySequence(const Pending& row, Puts& puts);
  Status Write(Puts puts, uint64_t rows_added);
  void Clear();

  TableStoreState& state;
  TableState& table;
  Mac identities;
  Mac customers;
  Aead aead;
  OccurrenceCounter occurrences;
  std::vector<Pending> pending;
  size_t pending_size = 0;
  std::unordered_map<std::string, uint64_t> sequences;  // Identity -> content mark, within the batch.
};

void TableWriter::Impl::Clear() {
  for (Pending& row : pending) Wipe(row.encoded.data(), row.encoded.size());
  pending.clear();
  pending_size = 0;
  sequences.clear();
}

StatusOr<std::string> TableWriter::Impl::IdentityOf(const Row& row, const Digest& content) {
  if (table.schema.sequence) {
    const Value& value = row[*table.schema.sequence];
    const auto* number = std::get_if<int64_t>(&value);
    return IdentityFrom(
        identities.Of("sequence/", number != nullptr ? std::to_string(*number) : std::get<std::string>(value)));
  }
  AISLE_ASSIGN_OR_RETURN(const uint32_t before, occurrences.Count(MarkFrom(content)));
  if (before == 0) return IdentityFrom(content);
  return IdentityFrom(identities.Of(content.view(), ByteWriter().U32(before).bytes()));
}

StatusOr<RowOutcome> TableWriter::Impl::PlaceBySequence(const Pending& row, Puts& puts) {
  const std::string identity(std::string_view(row.row_key).substr(1 + kTimeKeySize));
  const std::string value = row.row_key.substr(1, kTimeKeySize) + ByteWriter().U64(row.content).Take();
  const std::string key = SequenceKey(identity);
  if (const auto [found, fresh] = sequences.emplace(identity, row.content); !fresh) {
    return found->second == row.content ? RowOutcome::kKnown : RowOutcome::kConflict;
  }
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> stored, state.database->Get(table.family, key));
  if (stored) return *stored == value ? RowOutcome::kKnown : RowOutcome::kConflict;
  puts.emplace_back(key, value);
  return RowOutcome::kAdded;
}

StatusOr<RowOutcome> TableWriter::Impl::Place(const Pending& row, Puts& puts) {
  if (!row.pseudonym.empty() && state.forgotten.contains(row.pseudonym)) return RowOutcome::kForgotten;
  if (table.schema.sequence) {
    AISLE_ASSIGN_OR_RETURN(const RowOutcome outcome, PlaceBySequence(row, puts));
    if (outcome != RowOutcome::kAdded) return outcome;
  } else {
    AISLE_ASSIGN_OR_RETURN(const bool known, state.database->Contains(table.family, row.row_key));
    if (known) return RowOutcome::kKnown;
  }
  puts.emplace_back(row.row_key, aead.Seal(row.encoded, table.AssociatedWith(row.row_key), *state.nonces));
  if (!row.pseudonym.empty()) puts.emplace_back(CustomerKey(row.pseudonym, row.row_key), "");
  return RowOutcome::kAdded;
}

Status TableWriter::Impl::Write(Puts puts, uint64_t rows_added) {
  std::ranges::sort(puts);  // RocksDB takes keys in their order several times faster.
  WriteBatch batch;
  for (const auto& [key, value] : puts) batch.Put(table.family, key, value);
  state.PutRowCount(table, table.rows + rows_added, batch);
  AISLE_COVER("commit.rows.before");
  AISLE_RETURN_IF_ERROR(state.database->Write(batch, Durability::kSynced));
  AISLE_COVER("commit.rows.after");
  table.rows += rows_added;
  return OkStatus();
}

TableWriter::TableWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TableWriter::~TableWriter() = default;

StatusOr<std::unique_ptr<TableWriter>> TableStore::WriterOf(const TableName& table) {
  AISLE_ASSIGN_OR_RETURN(TableState * found, state_->Declared(table));
  uint64_t session = 0;
  {
    const std::lock_guard lock(state_->mutex);
    session = state_->sessions++;
  }
  return std::unique_ptr<TableWriter>(new TableWriter(std::make_unique<TableWriter::Impl>(*state_, *found, session)));
}

Status TableWriter::Add(const Row& row) {
  const TableSchema& schema = impl_->table.schema;
  Impl::Pending& pending = impl_->pending.emplace_back();
  if (schema.customer && !std::holds_alternative<std::monostate>(row[*schema.customer])) {
    pending.pseudonym = impl_->customers.Of(CustomerText(row[*schema.customer])).view().substr(0, kPseudonymSize);
  }
  EncodeRow(schema, row, pending.pseudonym, pending.encoded);
  const Digest content = impl_->identities.Of(pending.encoded);
  StatusOr<std::string> identity = impl_->IdentityOf(row, content);
  if (!identity.ok()) {
    impl_->pending.pop_back();
    return identity.status();
  }
  pending.row_key = RowKey(schema.time ? std::get<int64_t>(row[*schema.time]) : 0, *identity);
  pending.content = MarkFrom(content);
  impl_->pending_size += pending.encoded.size();
  return OkStatus();
}

bool TableWriter::full() const { return impl_->pending.size() >= kBatchRows || impl_->pending_size >= kBatchSize; }

StatusOr<std::vector<RowOutcome>> TableWriter::Commit() {
  std::vector<RowOutcome> outcomes;
  outcomes.reserve(impl_->pending.size());
  const std::lock_guard lock(impl_->state.mutex);
  Impl::Puts puts;
  uint64_t added = 0;
  for (const Impl::Pending& row : impl_->pending) {
    AISLE_ASSIGN_OR_RETURN(const RowOutcome outcome, impl_->Place(row, puts));
    outcomes.push_back(outcome);
    added += outcome == RowOutcome::kAdded ? 1 : 0;
  }
  if (added > 0) AISLE_RETURN_IF_ERROR(impl_->Write(std::move(puts), added));
  impl_->Clear();
  return outcomes;
}

}  // namespace aisle
