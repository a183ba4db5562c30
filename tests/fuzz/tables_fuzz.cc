// tables.toml, and the records of a CSV file.
#include <algorithm>

#include "store-agent/ingest/csv_reader.h"
#include "store-agent/tables/schema.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::tables {
namespace {

// Gives the bytes in small pieces, so that records are cut everywhere.
class Pieces : public ByteSource {
 public:
  explicit Pieces(std::string_view bytes) : bytes_(bytes) {}
  StatusOr<size_t> Read(std::span<char> into) override {
    const size_t size = std::min({into.size(), bytes_.size(), size_t{7}});
    std::ranges::copy(bytes_.substr(0, size), into.begin());
    bytes_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view bytes_;
};

void ReadRecords(std::string_view input) {
  Pieces pieces(input);
  CsvReader reader(pieces, {.record_max = 256, .fields_max = 16});
  for (;;) {
    const StatusOr<CsvReader::Event> event = reader.Next();
    if (!event.ok() || *event == CsvReader::Event::kEnd) return;
  }
}

}  // namespace

void TryInput(std::string_view input) {
  (void)Schema::Parse(input);
  (void)ParseTimestamp(input);
  ReadRecords(input);
}

std::vector<std::string> Seeds() {
  return {R"(
[sales]
time = "week"
customer = "household"
retention = "1095d"
[sales.columns]
week = {type = "int64", unit = "week", range = [0, 10000]}
household = {type = "string"}
price = {type = "double", unit = "USD/oz", range = [0, 10], nullable = true}
)",
          "week,\"a \"\"b\"\" c\",price\r\n1,\"x\ny\",0.5\n\n2,,\n", "2026-01-31T08:00:00.5+01:00"};
}

}  // namespace aisle::fuzz::tables

AISLE_FUZZ_TARGET(tables);
