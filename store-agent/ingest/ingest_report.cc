#include "store-agent/ingest/ingest_report.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace aisle {

void IngestReport::Quarantine(uint64_t line, RowFault fault, std::string reason) {
  ++rows_quarantined;
  ++faults[fault];
  if (quarantined.size() < kQuarantineListMax) quarantined.push_back({line, fault, std::move(reason)});
}

std::string ToJson(const IngestReport& report) {
  nlohmann::ordered_json json;
  json["file"] = report.file;
  json["table"] = report.table.str();
  json["refused"] = report.refused();
  if (report.refused()) json["refusal"] = report.refusal;
  json["rows_read"] = report.rows_read;
  json["rows_added"] = report.rows_added;
  json["rows_known"] = report.rows_known;
  json["rows_forgotten"] = report.rows_forgotten;
  json["rows_quarantined"] = report.rows_quarantined;
  json["seconds"] = report.seconds;
  json["ignored_columns"] = report.ignored_columns;
  json["faults"] = nlohmann::ordered_json::object();
  for (const auto& [fault, count] : report.faults) json["faults"][std::string(NameOf(fault))] = count;
  json["quarantined"] = nlohmann::ordered_json::array();
  for (const QuarantinedRow& row : report.quarantined) {
    json["quarantined"].push_back(
        {{"line", row.line}, {"fault", std::string(NameOf(row.fault))}, {"reason", row.reason}});
  }
  // Names of files and columns need not be UTF-8: what isn't is shown as U+FFFD.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Summary(const IngestReport& report) {
  if (report.refused()) return fmt::format("{}: refused: {}", report.file, report.refusal);
  std::string text = fmt::format("{}: {} rows read, {} added", report.file, report.rows_read, report.rows_added);
  if (report.rows_known > 0) text += fmt::format(", {} known already", report.rows_known);
  if (report.rows_forgotten > 0) text += fmt::format(", {} of forgotten customers", report.rows_forgotten);
  if (report.rows_quarantined > 0) {
    std::vector<std::string> faults;
    for (const auto& [fault, count] : report.faults) faults.push_back(fmt::format("{} {}", NameOf(fault), count));
    text += fmt::format(", {} quarantined ({})", report.rows_quarantined, fmt::join(faults, ", "));
  }
  if (!report.ignored_columns.empty()) {
    text += fmt::format(", columns ignored: {}", fmt::join(report.ignored_columns, ", "));
  }
  return text;
}

}  // namespace aisle
