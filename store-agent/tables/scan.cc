// TableStore::Scan: sealed rows in, columns out.
#include "base/clock.h"
#include "store-agent/tables/row_key.h"
#include "store-agent/tables/table_store_state.h"

namespace aisle {
namespace {

// Reads rows into the columns of one table.
class RowsToColumns {
 public:
  RowsToColumns(const TableState& table, uint64_t bytes_max)
      : table_(table), aead_(table.value_key), bytes_max_(bytes_max) {
    columns_.name = table.schema.name.str();
  }

  Status Choose(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const std::optional<size_t> index = table_.schema.IndexOf(name);
      if (!index) return NotFound("table {} has no column \"{}\"", table_.schema.name, name);
      chosen_.push_back(*index);
      columns_.columns.emplace_back(name, table_.schema.TypeInPlans(*index), table_.schema.columns[*index].width);
      row_size_ += columns_.columns.back().row_size();
    }
    return OkStatus();
  }

  Status Reserve(uint64_t rows) {
    AISLE_RETURN_IF_ERROR(CheckSize(rows));
    for (Column& column : columns_.columns) column.Reserve(rows);
    return OkStatus();
  }

  Status Add(std::string_view key, std::string_view sealed) {
    AISLE_RETURN_IF_ERROR(CheckSize(columns_.rows + 1));
    AISLE_RETURN_IF_ERROR(aead_.OpenInto(sealed, table_.AssociatedWith(key), plain_));
    AISLE_RETURN_IF_ERROR(row_.Parse(table_.schema, plain_.Reveal()));
    for (size_t i = 0; i < chosen_.size(); ++i) row_.AppendTo(chosen_[i], columns_.columns[i]);
    ++columns_.rows;
    return OkStatus();
  }

  ColumnTable Take() { return std::move(columns_); }

 private:
  Status CheckSize(uint64_t rows) const {
    if (row_size_ == 0 || rows <= bytes_max_ / row_size_) return OkStatus();
    return ResourceExhausted(
        "the columns asked of table {} take more than {} over {} rows; ask for fewer columns or rows",
        table_.schema.name, FormatByteCount(bytes_max_), rows);
  }

  const TableState& table_;
  Aead aead_;
  uint64_t bytes_max_;
  uint64_t row_size_ = 0;
  std::vector<size_t> chosen_;
  ColumnTable columns_;
  SecretBytes plain_;
  EncodedRow row_;
};

bool IsWhole(const ScanRequest& request) {
  return request.time_first == std::numeric_limits<int64_t>::min() &&
         request.time_last == std::numeric_limits<int64_t>::max();
}

Cursor RowsOf(const TableStoreState& state, const TableState& table, const ScanRequest& request) {
  const std::string end = request.time_last == std::numeric_limits<int64_t>::max()
                              ? EndOfPrefix(std::string(1, kRowMark))
                              : RowKeysFrom(request.time_last + 1);
  return state.database->Range(table.family, RowKeysFrom(request.time_first), end);
}

}  // namespace

StatusOr<ColumnTable> TableStore::Scan(const ScanRequest& request) const {
  AISLE_ASSIGN_OR_RETURN(const TableState* table, state_->Declared(request.table));
  RowsToColumns sink(*table, request.bytes_max);
  AISLE_RETURN_IF_ERROR(sink.Choose(request.columns));
  if (request.time_first > request.time_last) return sink.Take();
  if (IsWhole(request)) {
    AISLE_ASSIGN_OR_RETURN(const uint64_t rows, RowCount(request.table));
    AISLE_RETURN_IF_ERROR(sink.Reserve(rows));
  }
  Cursor row = RowsOf(*state_, *table, request);
  for (; row.Valid(); row.Next()) {
    const Status added = sink.Add(row.key(), row.value());
    if (!added.ok()) return Annotate(added, fmt::format("table {}", request.table));
  }
  AISLE_RETURN_IF_ERROR(row.status());
  return sink.Take();
}

}  // namespace aisle
