#include "store-agent/tables/schema_change.h"

#include "base/codec.h"

namespace aisle {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kTextMax = 1 << 12;

std::string NameAt(const TableSchema& schema, std::optional<size_t> column) {
  return column ? schema.columns[*column].name : std::string();
}

void CheckRole(const TableSchema& stored, const TableSchema& declared, std::optional<size_t> TableSchema::*role,
               std::string_view name, std::vector<std::string>& offences) {
  const std::string before = NameAt(stored, stored.*role);
  const std::string now = NameAt(declared, declared.*role);
  if (before != now) offences.push_back(fmt::format("its {} was \"{}\" and is now \"{}\"", name, before, now));
}

void CheckColumn(const ColumnSpec& before, const ColumnSpec& now, std::vector<std::string>& offences) {
  const auto offend = [&](std::string_view what, std::string_view was, std::string_view is) {
    offences.push_back(fmt::format("the {} of column \"{}\" was \"{}\" and is now \"{}\"", what, now.name, was, is));
  };
  if (before.type != now.type) offend("type", NameOf(before.type), NameOf(now.type));
  if (before.width != now.width) offend("size", std::to_string(before.width), std::to_string(now.width));
  if (before.unit != now.unit) offend("unit", before.unit, now.unit);
  if (before.nullable && !now.nullable) {
    offences.push_back(fmt::format("column \"{}\" isn't nullable any more, but rows may hold nulls", now.name));
  }
}

void MoveRoles(const TableSchema& declared, TableSchema& merged) {
  for (const auto role : {&TableSchema::time, &TableSchema::customer, &TableSchema::sequence}) {
    merged.*role = declared.*role ? merged.IndexOf(NameAt(declared, declared.*role)) : std::nullopt;
  }
}

void PutRole(ByteWriter& writer, std::optional<size_t> role) {
  writer.U32(role ? static_cast<uint32_t>(*role) + 1 : 0);
}

std::optional<size_t> ReadRole(ByteReader& reader) {
  const uint32_t role = reader.U32();
  return role == 0 ? std::nullopt : std::optional<size_t>(role - 1);
}

ColumnSpec ReadColumn(ByteReader& reader) {
  ColumnSpec column;
  column.name = reader.String(kNameLengthMax);
  column.header = reader.String(kTextMax);
  column.type = static_cast<ColumnType>(reader.U8());
  column.unit = reader.String(kTextMax);
  column.nullable = reader.U8() != 0;
  column.width = reader.U32();
  column.int_min = reader.I64();
  column.int_max = reader.I64();
  column.real_min = reader.F64();
  column.real_max = reader.F64();
  return column;
}

Status CheckDecoded(const TableSchema& schema) {
  for (const auto& role : {schema.time, schema.customer, schema.sequence}) {
    if (role && *role >= schema.columns.size()) return DataLoss("a stored schema names column {}", *role);
  }
  for (const ColumnSpec& column : schema.columns) {
    if (column.type > ColumnType::kBytes || column.type == ColumnType::kCustomer) {
      return DataLoss("a stored schema has a column of unknown type");
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<TableSchema> Reconcile(const TableSchema& stored, const TableSchema& declared, uint64_t rows) {
  if (rows == 0) return declared;
  std::vector<std::string> offences;
  CheckRole(stored, declared, &TableSchema::time, "time", offences);
  CheckRole(stored, declared, &TableSchema::customer, "customer", offences);
  CheckRole(stored, declared, &TableSchema::sequence, "sequence", offences);
  TableSchema merged = declared;
  merged.columns.clear();
  for (const ColumnSpec& before : stored.columns) {
    const std::optional<size_t> now = declared.IndexOf(before.name);
    if (!now) offences.push_back(fmt::format("column \"{}\" is gone", before.name));
    if (now) CheckColumn(before, declared.columns[*now], offences);
    merged.columns.push_back(now ? declared.columns[*now] : before);
  }
  for (const ColumnSpec& column : declared.columns) {
    if (stored.IndexOf(column.name)) continue;
    if (!column.nullable) {
      offences.push_back(fmt::format("column \"{}\" is new and not nullable, but old rows don't have it", column.name));
    }
    merged.columns.push_back(column);
  }
  if (!offences.empty()) {
    return FailedPrecondition(
        "table {} holds {} rows, so its declaration can't change like this: {}. Declare a table of another name, or "
        "drop "
        "this one first",
        declared.name, rows, fmt::join(offences, "; "));
  }
  MoveRoles(declared, merged);
  return merged;
}

std::string EncodeSchema(const TableSchema& schema) {
  ByteWriter writer;
  writer.U8(kFormat).String(schema.name.str());
  PutRole(writer, schema.time);
  PutRole(writer, schema.customer);
  PutRole(writer, schema.sequence);
  writer.I64(schema.retention ? absl::ToInt64Seconds(*schema.retention) : 0);
  writer.U32(static_cast<uint32_t>(schema.columns.size()));
  for (const ColumnSpec& column : schema.columns) {
    writer.String(column.name).String(column.header).U8(static_cast<uint8_t>(column.type)).String(column.unit);
    writer.U8(column.nullable ? 1 : 0).U32(column.width);
    writer.I64(column.int_min).I64(column.int_max).F64(column.real_min).F64(column.real_max);
  }
  return writer.Take();
}

StatusOr<TableSchema> DecodeSchema(std::string_view bytes) {
  ByteReader reader(bytes);
  TableSchema schema;
  if (reader.U8() != kFormat) return DataLoss("a stored schema has an unknown format; is this program older than it?");
  AISLE_ASSIGN_OR_RETURN(schema.name, TableName::Parse(reader.String(kNameLengthMax)));
  schema.time = ReadRole(reader);
  schema.customer = ReadRole(reader);
  schema.sequence = ReadRole(reader);
  const int64_t retention = reader.I64();
  if (retention > 0) schema.retention = absl::Seconds(retention);
  const uint32_t columns = reader.U32();
  if (columns > kTableColumnsMax) return DataLoss("a stored schema has {} columns", columns);
  for (uint32_t i = 0; i < columns && reader.ok(); ++i) schema.columns.push_back(ReadColumn(reader));
  AISLE_RETURN_IF_ERROR(reader.Finish("a stored schema"));
  AISLE_RETURN_IF_ERROR(CheckDecoded(schema));
  return schema;
}

}  // namespace aisle
