#include "store-agent/ingest/ingest.h"

#include <absl/time/clock.h>

#include <filesystem>
#include <optional>

#include "store-agent/ingest/card_numbers.h"
#include "store-agent/ingest/csv_reader.h"
#include "store-agent/ingest/row_parser.h"

namespace aisle {
namespace {

// The reading of one file.
class Session {
 public:
  Session(const TableSchema& schema, TableWriter& writer, ByteSource& source, const IngestOptions& options,
          IngestReport& report)
      : schema_(schema),
        writer_(writer),
        options_(options),
        report_(report),
        reader_(source, options.limits),
        row_(schema.columns.size()) {}

  // Ends with the file, its refusal (in the report) or an error of the store.
  Status Run() {
    AISLE_RETURN_IF_ERROR(ReadHeader());
    while (!report_.refused()) {
      StatusOr<CsvReader::Event> event = reader_.Next();
      if (!event.ok()) return SourceFailed(event.status());
      if (*event == CsvReader::Event::kEnd) return Commit();
      ++report_.rows_read;
      if (*event == CsvReader::Event::kBad) {
        report_.Quarantine(reader_.line(), reader_.fault(), std::string(reader_.problem()));
      } else {
        AISLE_RETURN_IF_ERROR(TakeRecord());
      }
    }
    return OkStatus();
  }

 private:
  Status ReadHeader() {
    StatusOr<CsvReader::Event> event = reader_.Next();
    if (!event.ok()) return SourceFailed(event.status());
    if (*event == CsvReader::Event::kEnd) {
      report_.refusal = "the file is empty; its first line must name the columns";
    } else if (*event == CsvReader::Event::kBad) {
      report_.refusal = fmt::format("the header can't be read: {}{}", reader_.problem(),
                                    reader_.fault() == RowFault::kNulByte ? "; is the file UTF-16?" : "");
    } else {
      StatusOr<RowParser> parser = RowParser::Make(schema_, reader_.fields());
      if (!parser.ok()) {
        report_.refusal = MessageOf(parser.status());
        return OkStatus();
      }
      parser_ = *std::move(parser);
      sample_.emplace(parser_->header().size());
      report_.ignored_columns = parser_->ignored();
    }
    return OkStatus();
  }

  Status TakeRecord() {
    if (sample_) sample_->Add(reader_.fields());
    if (std::optional<RowMistake> mistake = parser_->Parse(reader_.fields(), row_)) {
      report_.Quarantine(reader_.line(), mistake->fault, std::move(mistake->text));
      return OkStatus();
    }
    AISLE_RETURN_IF_ERROR(writer_.Add(row_));
    lines_.push_back(reader_.line());
    return writer_.full() ? Commit() : OkStatus();
  }

  // Nothing is written before the sample has been judged, once, at the first batch.
  bool PassesSample() {
    if (!sample_) return true;
    const std::optional<size_t> suspect = sample_->Suspect();
    if (suspect) {
      report_.refusal = fmt::format("column \"{}\" looks like payment card numbers, which are never taken in",
                                    parser_->header()[*suspect]);
    }
    sample_.reset();
    return !suspect;
  }

  Status Commit() {
    if (!PassesSample()) return OkStatus();
    AISLE_ASSIGN_OR_RETURN(const std::vector<RowOutcome> outcomes, writer_.Commit());
    for (size_t i = 0; i < outcomes.size(); ++i) Tally(outcomes[i], lines_[i]);
    lines_.clear();
    if (options_.should_stop()) return Cancelled("stopped after {} rows of {}", report_.rows_read, report_.file);
    return OkStatus();
  }

  void Tally(RowOutcome outcome, uint64_t line) {
    switch (outcome) {
      case RowOutcome::kAdded:
        ++report_.rows_added;
        break;
      case RowOutcome::kKnown:
        ++report_.rows_known;
        break;
      case RowOutcome::kForgotten:
        ++report_.rows_forgotten;
        break;
      case RowOutcome::kConflict:
        report_.Quarantine(line, RowFault::kConflict,
                           fmt::format("{}: another row of this sequence number is there already",
                                       schema_.columns[*schema_.sequence].name));
        break;
    }
  }

  // Damaged packed data is the file's fault; anything else the machine's.
  Status SourceFailed(const Status& status) {
    if (status.code() != StatusCode::kDataLoss) return status;
    AISLE_RETURN_IF_ERROR(Commit());
    if (!report_.refused()) report_.refusal = MessageOf(status);
    return OkStatus();
  }

  const TableSchema& schema_;
  TableWriter& writer_;
  const IngestOptions& options_;
  IngestReport& report_;
  CsvReader reader_;
  Row row_;
  std::optional<RowParser> parser_;
  std::optional<CardNumberSample> sample_;  // Until the first batch is full.
  std::vector<uint64_t> lines_;             // Of the rows in the batch.
};

}  // namespace

StatusOr<IngestReport> Ingest(TableStore& store, const TableName& table, ByteSource& source, std::string_view file,
                              const IngestOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const TableSchema* schema, store.SchemaOf(table));
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<TableWriter> writer, store.WriterOf(table));
  const absl::Time began = absl::Now();
  IngestReport report;
  report.file = file;
  report.table = table;
  AISLE_RETURN_IF_ERROR(Session(*schema, *writer, source, options, report).Run());
  report.seconds = absl::ToDoubleSeconds(absl::Now() - began);
  return report;
}

StatusOr<IngestReport> IngestFile(TableStore& store, const TableName& table, const std::string& path,
                                  const IngestOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, OpenByteSource(path));
  return Ingest(store, table, *source, std::filesystem::path(path).filename().string(), options);
}

}  // namespace aisle
