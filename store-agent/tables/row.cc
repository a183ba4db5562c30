#include "store-agent/tables/row.h"

#include <cstring>

#include "base/check.h"
#include "base/codec.h"

namespace aisle {
namespace {

void AppendPlain(const void* value, size_t size, std::string& out) {
  out.append(static_cast<const char*>(value), size);
}

void AppendValue(const ColumnSpec& column, const Value& value, std::string& out) {
  switch (column.type) {
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
      return AppendPlain(&std::get<int64_t>(value), 8, out);
    case ColumnType::kDouble:
      return AppendPlain(&std::get<double>(value), 8, out);
    case ColumnType::kString: {
      const auto& text = std::get<std::string>(value);
      const auto size = static_cast<uint32_t>(text.size());
      AppendPlain(&size, sizeof size, out);
      out += text;
      return;
    }
    case ColumnType::kBytes:
      AISLE_CHECK(std::get<std::string>(value).size() == column.width, "column {}", column.name);
      out += std::get<std::string>(value);
      return;
    case ColumnType::kCustomer:
      break;
  }
  AISLE_CHECK(false, "column {} is declared as a customer", column.name);
}

bool IsNull(const Value& value) { return std::holds_alternative<std::monostate>(value); }

std::string_view ReadField(const TableSchema& schema, size_t column, ByteReader& reader) {
  if (column == schema.customer) return reader.Raw(kPseudonymSize);
  switch (schema.columns[column].type) {
    case ColumnType::kString:
      return reader.String(kStringLengthMax);
    case ColumnType::kBytes:
      return reader.Raw(schema.columns[column].width);
    default:
      return reader.Raw(8);
  }
}

template <typename T>
T Plain(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

void Row::Set(size_t column, std::string_view value) {
  if (auto* text = std::get_if<std::string>(&values_[column])) {
    text->assign(value);
  } else {
    values_[column].emplace<std::string>(value);
  }
}

void Row::SetNull(size_t column) {
  if (auto* text = std::get_if<std::string>(&values_[column])) Wipe(text->data(), text->size());
  values_[column].emplace<std::monostate>();
}

void Row::Clear() {
  for (Value& value : values_) {
    if (auto* text = std::get_if<std::string>(&value)) {
      Wipe(text->data(), text->size());
      text->clear();
    } else {
      value.emplace<std::monostate>();
    }
  }
}

void EncodeRow(const TableSchema& schema, const Row& row, std::string_view pseudonym, std::string& out) {
  AISLE_CHECK(row.size() == schema.columns.size());
  uint8_t bitmap[kTableColumnsMax / 8] = {};
  uint8_t bitmap_size = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    if (IsNull(row[i])) continue;
    bitmap[i / 8] = static_cast<uint8_t>(bitmap[i / 8] | (1u << (i % 8)));
    bitmap_size = static_cast<uint8_t>(i / 8 + 1);
  }
  AppendPlain(&bitmap_size, 1, out);
  AppendPlain(bitmap, bitmap_size, out);
  for (size_t i = 0; i < row.size(); ++i) {
    if (IsNull(row[i])) continue;
    if (i == schema.customer) {
      AISLE_CHECK(pseudonym.size() == kPseudonymSize);
      out += pseudonym;
    } else {
      AppendValue(schema.columns[i], row[i], out);
    }
  }
}

Status EncodedRow::Parse(const TableSchema& schema, std::string_view bytes) {
  fields_.assign(schema.columns.size(), std::nullopt);
  ByteReader reader(bytes);
  const size_t bitmap_size = reader.U8();
  const std::string_view bitmap = reader.Raw(bitmap_size);
  AISLE_RETURN_IF_ERROR(reader.status("a row"));
  if (bitmap_size > 0 && bitmap.back() == 0) return DataLoss("a row has a longer bitmap than it needs");
  for (size_t i = 0; i < bitmap_size * 8; ++i) {
    if ((static_cast<uint8_t>(bitmap[i / 8]) >> (i % 8) & 1) == 0) continue;
    if (i >= fields_.size()) {
      return DataLoss("a row has a column {}, the table {} has only {}", i, schema.name, fields_.size());
    }
    fields_[i] = ReadField(schema, i, reader);
  }
  return reader.Finish("a row");
}

void EncodedRow::AppendTo(size_t column, Column& target) const {
  const std::optional<std::string_view>& field = fields_[column];
  if (!field) return target.AppendNull();
  switch (target.type()) {
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
      return target.Append(Plain<int64_t>(*field));
    case ColumnType::kDouble:
      return target.Append(Plain<double>(*field));
    case ColumnType::kString:
      return target.Append(FingerprintOf(*field));
    case ColumnType::kCustomer:
      return target.Append(Plain<int64_t>(*field) & std::numeric_limits<int64_t>::max());
    case ColumnType::kBytes:
      return target.AppendBytes(*field);
  }
}

}  // namespace aisle
