#include "store-agent/ingest/row_parser.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/check.h"
#include "base/digest.h"

namespace aisle {
namespace {

using Mistake = std::optional<RowMistake>;

template <typename... Args>
Mistake Wrong(RowFault fault, fmt::format_string<Args...> format, Args&&... args) {
  return RowMistake{fault, fmt::format(format, std::forward<Args>(args)...)};
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// std::from_chars takes no plus sign.
std::string_view WithoutPlus(std::string_view text) {
  return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

bool IsZeroFraction(std::string_view text) {
  return text.empty() || (text[0] == '.' && text.find_first_not_of('0', 1) == std::string_view::npos);
}

Mistake CheckIntRange(const ColumnSpec& column, int64_t value) {
  if (value >= column.int_min && value <= column.int_max) return std::nullopt;
  return Wrong(RowFault::kRange, "{}: outside of [{}, {}]", column.name, column.int_min, column.int_max);
}

Mistake SetInt64(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  text = WithoutPlus(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return Wrong(RowFault::kRange, "{}: beyond 64 bits", column.name);
  const auto used = static_cast<size_t>(end - text.data());
  if (error != std::errc() || !IsZeroFraction(text.substr(used))) {
    return Wrong(RowFault::kType, "{}: not a whole number", column.name);
  }
  row.Set(index, value);
  return CheckIntRange(column, value);
}

Mistake SetDouble(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  text = WithoutPlus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return Wrong(RowFault::kRange, "{}: beyond a double", column.name);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return Wrong(RowFault::kType, "{}: not a number", column.name);
  }
  row.Set(index, value == 0 ? 0.0 : value);  // One zero, so that equal rows have equal bytes.
  if (value >= column.real_min && value <= column.real_max) return std::nullopt;
  return Wrong(RowFault::kRange, "{}: outside of [{}, {}]", column.name, column.real_min, column.real_max);
}

Mistake SetTimestamp(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  const std::optional<int64_t> time = ParseTimestamp(text);
  if (!time) return Wrong(RowFault::kType, "{}: not a timestamp such as 2026-01-31 08:00:00", column.name);
  row.Set(index, *time);
  if (*time >= column.int_min && *time <= column.int_max) return std::nullopt;
  return Wrong(RowFault::kRange, "{}: outside of the declared range", column.name);
}

Mistake SetString(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  if (text.size() > kStringLengthMax) {
    return Wrong(RowFault::kTooLong, "{}: {} bytes; the limit is {}", column.name, text.size(), kStringLengthMax);
  }
  if (!IsValidUtf8(text)) return Wrong(RowFault::kEncoding, "{}: not UTF-8", column.name);
  row.Set(index, text);
  return std::nullopt;
}

// Bytes of base64 with its padding; nullopt if it is malformed.
std::optional<std::string> FromBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 2 * kBytesWidthMax) return std::nullopt;
  if (text.find_first_of(" \t\r\n-") != std::string_view::npos) return std::nullopt;  // EVP would skip these.
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<uint8_t*>(bytes.data()),
                                   reinterpret_cast<const uint8_t*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<size_t>(size) - padding);
  return bytes;
}

Mistake SetBytes(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  if (text.size() == 2 * size_t{column.width}) {
    if (const StatusOr<std::string> bytes = FromHex(text); bytes.ok()) {
      row.Set(index, std::string_view(*bytes));
      return std::nullopt;
    }
  }
  const std::optional<std::string> bytes = FromBase64(text);
  if (!bytes || bytes->size() != column.width) {
    return Wrong(RowFault::kType, "{}: not {} bytes in hexadecimal or base64", column.name, column.width);
  }
  row.Set(index, std::string_view(*bytes));
  return std::nullopt;
}

Mistake SetField(const ColumnSpec& column, std::string_view text, size_t index, Row& row) {
  const bool is_text = column.type == ColumnType::kString;
  if (!is_text) text = Trim(text);
  if (text.empty() && column.nullable) {
    row.SetNull(index);
    return std::nullopt;
  }
  if (text.empty() && !is_text) return Wrong(RowFault::kNull, "{}: empty, but the column isn't nullable", column.name);
  switch (column.type) {
    case ColumnType::kInt64:
      return SetInt64(column, text, index, row);
    case ColumnType::kDouble:
      return SetDouble(column, text, index, row);
    case ColumnType::kTimestamp:
      return SetTimestamp(column, text, index, row);
    case ColumnType::kBytes:
      return SetBytes(column, text, index, row);
    case ColumnType::kString:
    case ColumnType::kCustomer:
      break;
  }
  return SetString(column, text, index, row);
}

// Length of the well-formed UTF-8 sequence at the front (Unicode 15, table 3-7); 0 if there is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto continues = [&](size_t i, uint8_t least = 0x80, uint8_t most = 0xbf) {
    return byte(i) >= least && byte(i) <= most;
  };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool second = continues(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
    return second && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool second = continues(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

StatusOr<RowParser> RowParser::Make(const TableSchema& schema, std::span<const std::string_view> header) {
  RowParser parser(schema);
  std::map<std::string, size_t, std::less<>> places;
  std::vector<std::string> twice;
  for (const std::string_view field : header) {
    const std::string name(Trim(field));
    const bool fresh = places.emplace(name, parser.header_.size()).second;
    const auto column = std::ranges::find(schema.columns, name, &ColumnSpec::header);
    if (column == schema.columns.end()) parser.ignored_.push_back(name);
    if (column != schema.columns.end() && !fresh) twice.push_back(name);
    parser.header_.push_back(name);
  }
  std::vector<std::string> missing;
  for (const ColumnSpec& column : schema.columns) {
    const auto found = places.find(column.header);
    if (found == places.end()) missing.push_back(column.header);
    parser.field_of_column_.push_back(found == places.end() ? 0 : found->second);
  }
  if (!twice.empty()) return InvalidArgument("the header names twice: {}", fmt::join(twice, ", "));
  if (missing.empty()) return parser;
  const bool one_field = header.size() == 1 && header[0].find_first_of(";\t|") != std::string_view::npos;
  return InvalidArgument("the header has {} columns and misses: {}{}", header.size(), fmt::join(missing, ", "),
                         one_field ? "; fields must be parted by commas" : "");
}

std::optional<RowMistake> RowParser::Parse(std::span<const std::string_view> fields, Row& row) const {
  if (fields.size() != header_.size()) {
    return Wrong(RowFault::kFieldCount, "{} fields, but the header has {}", fields.size(), header_.size());
  }
  for (size_t i = 0; i < schema_->columns.size(); ++i) {
    if (Mistake mistake = SetField(schema_->columns[i], fields[field_of_column_[i]], i, row)) return mistake;
  }
  return std::nullopt;
}

}  // namespace aisle
