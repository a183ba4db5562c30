#include "store-agent/tables/schema.h"

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/fleet.h"

namespace aisle {
namespace {

bool IsColumnName(std::string_view name) {
  return !name.empty() && name.size() <= kNameLengthMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

template <typename T>
void SetRange(ConfigTable& table, const std::vector<T>& range, T& min, T& max) {
  if (range.size() != 2 || !(range[0] <= range[1])) return table.Refuse("range", "must be [least, most]");
  min = range[0];
  max = range[1];
}

void ReadTimestampRange(ConfigTable& table, ColumnSpec& column) {
  std::vector<std::string> texts;
  table.Read("range", texts);
  std::vector<int64_t> range;
  for (const std::string& text : texts) {
    const std::optional<int64_t> time = ParseTimestamp(text);
    if (!time) return table.Refuse("range", "must be two timestamps such as \"2020-01-01\"");
    range.push_back(*time);
  }
  SetRange(table, range, column.int_min, column.int_max);
}

void ReadRange(ConfigTable& table, ColumnSpec& column) {
  if (!table.Has("range")) return;
  if (column.type == ColumnType::kInt64) {
    std::vector<int64_t> range;
    table.Read("range", range);
    SetRange(table, range, column.int_min, column.int_max);
  } else if (column.type == ColumnType::kDouble) {
    std::vector<double> range;
    table.Read("range", range);
    SetRange(table, range, column.real_min, column.real_max);
  } else if (column.type == ColumnType::kTimestamp) {
    ReadTimestampRange(table, column);
  } else {
    std::vector<std::string> ignored;
    table.Read("range", ignored);
    table.Refuse("range", "is for int64, double and timestamp columns");
  }
}

void ReadWidth(ConfigTable& table, ColumnSpec& column) {
  if (column.type != ColumnType::kBytes) return;  // Elsewhere `size` is an unknown key.
  table.Require("size", column.width);
  if (column.width == 0 || column.width > kBytesWidthMax) {
    table.Refuse("size", fmt::format("must be 1 to {} bytes", kBytesWidthMax));
  }
}

ColumnSpec ReadColumn(ConfigTable& columns, const std::string& name) {
  ColumnSpec column;
  column.name = name;
  column.header = name;
  if (!IsColumnName(name)) columns.Refuse(name, "a column's name is 1 to 64 characters of A-Z, a-z, 0-9, . _ and -");
  ConfigTable table = columns.Child(name);
  std::string type;
  table.Require("type", type);
  const std::optional<ColumnType> known = ColumnTypeOf(type);
  if (known && *known != ColumnType::kCustomer) {
    column.type = *known;
  } else if (!type.empty()) {
    table.Refuse("type", fmt::format("\"{}\" is none of int64, double, string, timestamp, bytes", type));
  }
  table.Read("unit", column.unit);
  table.Read("header", column.header);
  table.Read("nullable", column.nullable);
  ReadRange(table, column);
  ReadWidth(table, column);
  return column;
}

// Finds the column that plays a part in the table, and checks that its type suits the part.
std::optional<size_t> ReadRole(ConfigTable& table, const TableSchema& schema, std::string_view key,
                               std::initializer_list<ColumnType> types, bool nullable) {
  std::string name;
  table.Read(key, name);
  if (name.empty()) return std::nullopt;
  const std::optional<size_t> index = schema.IndexOf(name);
  if (!index) {
    table.Refuse(key, fmt::format("no column is called \"{}\"", name));
    return std::nullopt;
  }
  const ColumnSpec& column = schema.columns[*index];
  if (std::ranges::find(types, column.type) == types.end()) {
    table.Refuse(key,
                 fmt::format("column \"{}\" is of type {}, which can't be the {}", name, NameOf(column.type), key));
  }
  if (column.nullable && !nullable) {
    table.Refuse(key, fmt::format("column \"{}\" is nullable, so it can't be the {}", name, key));
  }
  return index;
}

void ReadRetention(ConfigTable& table, TableSchema& schema) {
  if (!table.Has("retention")) return;
  absl::Duration retention;
  table.ReadDuration("retention", retention);
  if (retention <= absl::ZeroDuration()) table.Refuse("retention", "must be more than nothing");
  if (!schema.time || schema.columns[*schema.time].type != ColumnType::kTimestamp) {
    table.Refuse("retention", "needs a timestamp column as the table's time");
  }
  schema.retention = retention;
}

void CheckHeaders(ConfigTable& table, const TableSchema& schema) {
  std::set<std::string> headers;
  for (const ColumnSpec& column : schema.columns) {
    if (!headers.insert(column.header).second) {
      table.Refuse("columns", fmt::format("the header \"{}\" is read by two columns", column.header));
    }
  }
}

TableSchema ReadTable(ConfigTable& root, const std::string& name) {
  TableSchema schema;
  StatusOr<TableName> parsed = TableName::Parse(name);
  if (parsed.ok()) schema.name = *parsed;
  if (!parsed.ok()) root.Refuse(name, MessageOf(parsed.status()));
  ConfigTable table = root.Child(name);
  ConfigTable columns = table.Child("columns");
  for (const std::string& column : columns.Keys()) schema.columns.push_back(ReadColumn(columns, column));
  if (schema.columns.empty()) table.Refuse("columns", "a table needs at least one column");
  if (schema.columns.size() > kTableColumnsMax) {
    table.Refuse("columns", fmt::format("{} columns; the limit is {}", schema.columns.size(), kTableColumnsMax));
  }
  CheckHeaders(table, schema);
  schema.time = ReadRole(table, schema, "time", {ColumnType::kInt64, ColumnType::kTimestamp}, false);
  schema.customer = ReadRole(table, schema, "customer", {ColumnType::kInt64, ColumnType::kString}, true);
  schema.sequence = ReadRole(table, schema, "sequence", {ColumnType::kInt64, ColumnType::kString}, false);
  if (schema.customer && (schema.customer == schema.time || schema.customer == schema.sequence)) {
    table.Refuse("customer", "can't also be the time or the sequence: only its pseudonym is kept");
  }
  ReadRetention(table, schema);
  return schema;
}

StatusOr<Schema> FromConfig(ConfigTable root) {
  Schema schema;
  const std::vector<std::string> names = root.Keys();
  for (const std::string& name : names) schema.tables.push_back(ReadTable(root, name));
  if (names.empty()) root.Refuse("tables", "at least one table must be declared");
  if (names.size() > kTablesPerStoreMax) {
    root.Refuse("tables", fmt::format("{} tables; the limit is {}", names.size(), kTablesPerStoreMax));
  }
  AISLE_RETURN_IF_ERROR(root.Finish());
  return schema;
}

}  // namespace

std::optional<size_t> TableSchema::IndexOf(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &ColumnSpec::name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<size_t>(found - columns.begin());
}

ColumnType TableSchema::TypeInPlans(size_t column) const {
  return column == customer ? ColumnType::kCustomer : columns[column].type;
}

StatusOr<Schema> Schema::Parse(std::string_view toml, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(toml, origin));
  return FromConfig(std::move(root));
}

StatusOr<Schema> Schema::ParseFile(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::ParseFile(path));
  return FromConfig(std::move(root));
}

const TableSchema* Schema::Find(const TableName& table) const {
  const auto found = std::ranges::find(tables, table, &TableSchema::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace aisle
