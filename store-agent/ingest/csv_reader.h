// Records of a CSV file, one at a time (RFC 4180; fields part at commas, lines end with LF or CRLF).
//
// A byte order mark is skipped, and so are empty lines. Quoted fields may hold commas, line breaks and doubled quotes.
// Memory stays within the record limit however long the file or its lines are. A broken record costs only itself: after
// a quote that is opened and never rightly closed, reading goes on at the line after the one that opened it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store-agent/ingest/byte_source.h"

namespace aisle {

// Why a row stays out. Stable names, for reports and metrics.
enum class RowFault : uint8_t {
  kQuoting,  // Quotes where none may be, or one that isn't closed.
  kTooLong,  // A record, field count or text over the limit.
  kNulByte,
  kFieldCount,  // More or fewer fields than the header.
  kType,        // Not a value of the column's type.
  kRange,       // Outside of the declared range.
  kNull,        // Nothing where there must be something.
  kEncoding,    // Not UTF-8.
  kConflict,    // Another row of the same sequence number is there already.
};
inline constexpr int kRowFaultCount = 9;
std::string_view NameOf(RowFault fault);  // "quoting", "too_long" …

struct CsvLimits {
  size_t record_max = 1 << 20;  // Bytes.
  size_t fields_max = 4096;
};

// Not thread-safe. The source must outlive the reader.
class CsvReader {
 public:
  enum class Event {
    kRecord,  // fields() and line() hold.
    kBad,     // fault(), problem() and line() hold; there may be more to come.
    kEnd,
  };

  explicit CsvReader(ByteSource& source, CsvLimits limits = {});

  // An error is one of the source.
  StatusOr<Event> Next();
  std::span<const std::string_view> fields() const { return fields_; }  // Until Next.
  uint64_t line() const { return line_; }                               // Of the file, from 1: where the record begins.
  RowFault fault() const { return fault_; }
  std::string_view problem() const { return problem_; }  // For people; never quotes the data.

 private:
  static constexpr size_t kChunk = 64 << 10;
  enum class Parsed { kRecord, kNeedsMore, kBrokenLine, kBrokenRecord };
  struct FieldPlace {
    size_t at = 0;
    size_t size = 0;
    bool unescaped = false;  // In unescaped_, else in buffer_.
  };

  Status Start();
  Status Fill();
  Parsed Parse();
  Parsed ParsePlain(size_t& at);
  Parsed ParseQuoted(size_t& at);
  Parsed FinishRecord(size_t end);
  Parsed Broken(Parsed how, RowFault fault, std::string problem);
  void Advance(size_t end);
  StatusOr<Event> TooLong();
  Status SkipLine();
  bool IsBlank() const;

  ByteSource& source_;
  CsvLimits limits_;
  std::string buffer_;
  size_t begin_ = 0;  // Of the unread part of buffer_.
  bool started_ = false;
  bool at_end_ = false;  // The source has no more.
  uint64_t next_line_ = 1;

  std::vector<FieldPlace> places_;
  std::string unescaped_;
  size_t record_end_ = 0;
  std::vector<std::string_view> fields_;
  uint64_t line_ = 0;
  RowFault fault_ = RowFault::kQuoting;
  std::string problem_;
};

}  // namespace aisle
