#include "store-agent/ingest/csv_reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"

namespace aisle {

std::string_view NameOf(RowFault fault) {
  switch (fault) {
    case RowFault::kQuoting:
      return "quoting";
    case RowFault::kTooLong:
      return "too_long";
    case RowFault::kNulByte:
      return "nul_byte";
    case RowFault::kFieldCount:
      return "field_count";
    case RowFault::kType:
      return "type";
    case RowFault::kRange:
      return "range";
    case RowFault::kNull:
      return "null";
    case RowFault::kEncoding:
      return "encoding";
    case RowFault::kConflict:
      return "conflict";
  }
  AISLE_CHECK(false, "no fault {}", static_cast<int>(fault));
}

CsvReader::CsvReader(ByteSource& source, CsvLimits limits) : source_(source), limits_(limits) {}

StatusOr<CsvReader::Event> CsvReader::Next() {
  if (!started_) AISLE_RETURN_IF_ERROR(Start());
  for (bool blank = false;;) {
    if (begin_ == buffer_.size() && at_end_) return Event::kEnd;
    line_ = next_line_;
    switch (Parse()) {
      case Parsed::kRecord:
        blank = IsBlank();
        Advance(record_end_);
        if (blank) continue;
        return Event::kRecord;
      case Parsed::kBrokenRecord:
        Advance(record_end_);
        return Event::kBad;
      case Parsed::kBrokenLine:
        AISLE_RETURN_IF_ERROR(SkipLine());
        return Event::kBad;
      case Parsed::kNeedsMore:
        if (buffer_.size() - begin_ > limits_.record_max) return TooLong();
        AISLE_RETURN_IF_ERROR(Fill());
    }
  }
}

Status CsvReader::Start() {
  started_ = true;
  AISLE_RETURN_IF_ERROR(Fill());
  if (buffer_.starts_with("\xef\xbb\xbf")) begin_ = 3;
  return OkStatus();
}

// Reads on until the unread part has doubled, so that a long record is parsed again only a few times.
Status CsvReader::Fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t had = buffer_.size();
  const size_t wanted = std::clamp(2 * had, had + kChunk, std::max(had, limits_.record_max) + kChunk);
  buffer_.resize(wanted);
  size_t size = had;
  while (size < wanted && !at_end_) {
    StatusOr<size_t> got = source_.Read({buffer_.data() + size, wanted - size});
    if (!got.ok()) {
      buffer_.resize(size);
      return got.status();
    }
    at_end_ = *got == 0;
    size += *got;
  }
  buffer_.resize(size);
  return OkStatus();
}

CsvReader::Parsed CsvReader::Parse() {
  places_.clear();
  unescaped_.clear();
  for (size_t at = begin_;;) {
    if (places_.size() == limits_.fields_max) {
      return Broken(Parsed::kBrokenLine, RowFault::kTooLong, fmt::format("more than {} fields", limits_.fields_max));
    }
    if (at == buffer_.size() && !at_end_) return Parsed::kNeedsMore;
    const bool quoted = at < buffer_.size() && buffer_[at] == '"';
    const Parsed field = quoted ? ParseQuoted(at) : ParsePlain(at);
    if (field != Parsed::kRecord) return field;
    if (at == buffer_.size()) return FinishRecord(at);
    if (buffer_[at++] == '\n') return FinishRecord(at);
  }
}

// Reads a field without quotes; `at` ends at the comma, the LF or the end of the file.
CsvReader::Parsed CsvReader::ParsePlain(size_t& at) {
  const char* const first = buffer_.data() + at;
  const char* const end = buffer_.data() + buffer_.size();
  const char* stop = first;
  while (stop != end && *stop != ',' && *stop != '\n' && *stop != '"') ++stop;
  if (stop == end && !at_end_) return Parsed::kNeedsMore;
  if (stop != end && *stop == '"') {
    return Broken(Parsed::kBrokenLine, RowFault::kQuoting, "a quote within a field that doesn't start with one");
  }
  const bool ends_line = stop == end || *stop == '\n';
  const size_t size = static_cast<size_t>(stop - first);
  const bool carriage_return = ends_line && size > 0 && first[size - 1] == '\r';
  places_.push_back({.at = at, .size = size - (carriage_return ? 1 : 0)});
  at += size;
  return Parsed::kRecord;
}

CsvReader::Parsed CsvReader::ParseQuoted(size_t& at) {
  const auto broken = [&] { return Broken(Parsed::kBrokenLine, RowFault::kQuoting, "text after a closing quote"); };
  FieldPlace place{.at = at + 1};
  for (size_t from = at + 1;;) {
    const size_t quote = buffer_.find('"', from);
    if (quote == std::string::npos || (quote + 1 == buffer_.size() && !at_end_)) {
      if (!at_end_) return Parsed::kNeedsMore;
      return Broken(Parsed::kBrokenLine, RowFault::kQuoting, "a quote that is never closed");
    }
    const bool doubled = quote + 1 < buffer_.size() && buffer_[quote + 1] == '"';
    if (doubled && !place.unescaped) {
      place = {.at = unescaped_.size(), .size = 0, .unescaped = true};
      from = at + 1;
    }
    if (place.unescaped) unescaped_.append(buffer_, from, quote - from + (doubled ? 1 : 0));
    if (!doubled) {
      at = quote + 1;
      break;
    }
    from = quote + 2;
  }
  place.size = place.unescaped ? unescaped_.size() - place.at : at - 1 - place.at;
  places_.push_back(place);
  if (at < buffer_.size() && buffer_[at] == '\r') {
    if (at + 1 == buffer_.size() && !at_end_) return Parsed::kNeedsMore;
    if (at + 1 < buffer_.size() && buffer_[at + 1] != '\n') return broken();
    ++at;
  }
  if (at < buffer_.size() && buffer_[at] != ',' && buffer_[at] != '\n') return broken();
  return Parsed::kRecord;
}

CsvReader::Parsed CsvReader::FinishRecord(size_t end) {
  record_end_ = end;
  if (end - begin_ > limits_.record_max) {
    return Broken(Parsed::kBrokenRecord, RowFault::kTooLong,
                  fmt::format("a record over {}", FormatByteCount(limits_.record_max)));
  }
  if (std::memchr(buffer_.data() + begin_, '\0', end - begin_) != nullptr) {
    return Broken(Parsed::kBrokenRecord, RowFault::kNulByte, "a NUL byte");
  }
  fields_.clear();
  for (const FieldPlace& place : places_) {
    fields_.push_back(std::string_view(place.unescaped ? unescaped_ : buffer_).substr(place.at, place.size));
  }
  return Parsed::kRecord;
}

CsvReader::Parsed CsvReader::Broken(Parsed how, RowFault fault, std::string problem) {
  fault_ = fault;
  problem_ = std::move(problem);
  return how;
}

void CsvReader::Advance(size_t end) {
  const auto first = buffer_.begin() + static_cast<ptrdiff_t>(begin_);
  next_line_ += static_cast<uint64_t>(std::count(first, buffer_.begin() + static_cast<ptrdiff_t>(end), '\n'));
  begin_ = end;
}

// The unread part is over the limit and its record has no end yet: one giant line, or a quote that swallows lines.
StatusOr<CsvReader::Event> CsvReader::TooLong() {
  const bool several_lines = buffer_.find('\n', begin_) != std::string::npos;
  fault_ = several_lines ? RowFault::kQuoting : RowFault::kTooLong;
  problem_ = fmt::format("{} within {}", several_lines ? "a quote that isn't closed" : "a line that doesn't end",
                         FormatByteCount(limits_.record_max));
  AISLE_RETURN_IF_ERROR(SkipLine());
  return Event::kBad;
}

// Throws bytes away up to and with the next LF.
Status CsvReader::SkipLine() {
  for (;;) {
    const size_t line_feed = buffer_.find('\n', begin_);
    if (line_feed != std::string::npos) {
      Advance(line_feed + 1);
      return OkStatus();
    }
    begin_ = buffer_.size();
    if (at_end_) return OkStatus();
    AISLE_RETURN_IF_ERROR(Fill());
  }
}

// A line with nothing on it, as against one with an empty quoted field.
bool CsvReader::IsBlank() const {
  return places_.size() == 1 && places_[0].size == 0 && !places_[0].unescaped && places_[0].at == begin_;
}

}  // namespace aisle
