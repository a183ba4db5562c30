// Rows: the records of an export against a table's columns, and what the database gives back.
#include <algorithm>

#include "base/check.h"
#include "store-agent/ingest/card_numbers.h"
#include "store-agent/ingest/row_parser.h"
#include "store-agent/tables/row.h"
#include "store-agent/tables/row_key.h"
#include "store-agent/tables/schema_change.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::rows {
namespace {

const Schema& Tables() {
  static const Schema schema = [] {
    StatusOr<Schema> parsed = Schema::Parse(R"(
[sales]
time = "at"
customer = "household"
[sales.columns]
at = {type = "timestamp"}
household = {type = "string"}
units = {type = "int64", range = [0, 1000]}
price = {type = "double", range = [0, 10], nullable = true}
photo = {type = "bytes", size = 4, nullable = true}
note = {type = "string", nullable = true}
)");
    AISLE_CHECK(parsed.ok(), "{}", MessageOf(parsed.status()));
    return *std::move(parsed);
  }();
  return schema;
}

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t begin = 0; begin <= line.size() && fields.size() < 64;) {
    const size_t end = std::min(line.find(',', begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

// The first line is a header, the others are records.
void TryRecords(std::string_view input) {
  std::optional<RowParser> parser;
  while (!input.empty()) {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::vector<std::string_view> fields = Fields(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
    if (!parser) {
      StatusOr<RowParser> made = RowParser::Make(Tables().tables.front(), fields);
      if (!made.ok()) return;
      parser = *std::move(made);
      continue;
    }
    Row row(Tables().tables.front().columns.size());
    if (fields.size() != parser->header().size() || parser->Parse(fields, row)) continue;
    std::string encoded;
    EncodeRow(Tables().tables.front(), row, "pseudonym-16-byt", encoded);
    EncodedRow stored;
    AISLE_CHECK(stored.Parse(Tables().tables.front(), encoded).ok());
  }
}

}  // namespace

void TryInput(std::string_view input) {
  TryRecords(input);
  EncodedRow row;
  (void)row.Parse(Tables().tables.front(), input);
  (void)ParseRowKey(input);
  if (const StatusOr<TableSchema> table = DecodeSchema(input); table.ok()) {
    AISLE_CHECK(DecodeSchema(EncodeSchema(*table)).ok());
  }
}

std::vector<std::string> Seeds() {
  return {
      "at,household,units,price,photo,note\n2026-01-31T08:00:00Z,h-17,3,1.25,0a0b0c0d,fresh\n"
      "2026-02-01T08:00:00.5+01:00,h-18,26.0,,AAECAw==,\n",
      EncodeSchema(Tables().tables.front())};
}

}  // namespace aisle::fuzz::rows

AISLE_FUZZ_TARGET(rows);
