#include "cli/local_rows.h"

#include <cstdlib>
#include <filesystem>

#include "base/storage/files.h"
#include "store-agent/ingest/ingest.h"
#include "store-agent/tables/table_store.h"

namespace aisle::cli {
namespace {

// A private folder for the sealed rows.
class Scratch {
 public:
  static StatusOr<Scratch> Make() {
    std::error_code error;
    std::string path = std::filesystem::temp_directory_path(error) / "aisle-rows-XXXXXX";
    if (error || ::mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "make the folder", path);
    return Scratch(std::move(path));
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

StatusOr<std::string> FileOf(const std::string& folder, const std::string& table) {
  for (const char* ending : {".csv", ".csv.gz"}) {
    std::string path = fmt::format("{}/{}{}", folder, table, ending);
    if (FileExists(path)) return path;
  }
  return NotFound("{} has no {}.csv (nor {}.csv.gz), which the plan reads", folder, table, table);
}

// The declarations of the plan's tables only: others need no files.
StatusOr<Schema> NeededSchema(const Plan& plan, const Schema& schema) {
  Schema needed;
  for (const TableNeed& need : plan.tables) {
    AISLE_ASSIGN_OR_RETURN(const TableName name, TableName::Parse(need.name));
    const TableSchema* declared = schema.Find(name);
    if (declared == nullptr)
      return NotFound("tables.toml doesn't declare the table {}, which the plan reads", need.name);
    for (const ColumnNeed& column : need.columns) {
      const std::optional<size_t> index = declared->IndexOf(column.name);
      if (!index) return NotFound("tables.toml declares no column {}.{}, which the plan reads", need.name, column.name);
      if (declared->TypeInPlans(*index) != column.type) {
        return InvalidArgument("the plan reads {}.{} as {}; tables.toml declares it as {}", need.name, column.name,
                               NameOf(column.type), NameOf(declared->TypeInPlans(*index)));
      }
    }
    needed.tables.push_back(*declared);
  }
  return needed;
}

v1::TableData ToWorkerTable(const ColumnTable& table) {
  v1::TableData data;
  data.set_name(table.name);
  data.set_rows(table.rows);
  for (const Column& column : table.columns) {
    v1::ColumnData& sent = *data.add_columns();
    sent.set_name(column.name());
    const std::string bytes(column.bytes());
    if (column.type() == ColumnType::kDouble) {
      sent.set_double_values(bytes);
    } else if (column.type() == ColumnType::kBytes) {
      sent.set_byte_values(bytes);
      sent.set_width(column.width());
    } else {
      sent.set_int64_values(bytes);
    }
  }
  return data;
}

Status TakeIn(TableStore& store, const TableNeed& need, const std::string& folder, LocalRows& rows) {
  AISLE_ASSIGN_OR_RETURN(const std::string path, FileOf(folder, need.name));
  AISLE_ASSIGN_OR_RETURN(const TableName name, TableName::Parse(need.name));
  AISLE_ASSIGN_OR_RETURN(const IngestReport report, IngestFile(store, name, path));
  if (report.refused()) return InvalidArgument("{} was refused: {}", path, report.refusal);
  rows.rows += report.rows_added;
  rows.quarantined += report.rows_quarantined;
  ScanRequest request{.table = name};
  for (const ColumnNeed& column : need.columns) request.columns.push_back(column.name);
  AISLE_ASSIGN_OR_RETURN(const ColumnTable table, store.Scan(request));
  rows.tables.push_back(ToWorkerTable(table));
  return OkStatus();
}

}  // namespace

StatusOr<LocalRows> ReadLocalRows(const Plan& plan, const Schema& schema, const std::string& folder) {
  AISLE_ASSIGN_OR_RETURN(const Schema needed, NeededSchema(plan, schema));
  AISLE_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make());
  // The store key names rows, and so orders those of one time; a fixed one lets a seed bring the same weights back. It
  // would lie beside the rows anyway, and they are the caller's own files.
  AesCtrStream fixed(SecretBytes(32), "aisle/local-rows");
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<TableStore> store, TableStore::Open(scratch.path(), needed, fixed));
  LocalRows rows;
  for (const TableNeed& need : plan.tables) AISLE_RETURN_IF_ERROR(TakeIn(*store, need, folder, rows));
  return rows;
}

}  // namespace aisle::cli
