// aisle ingest: at the store, a CSV file into the agent's tables.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/drop.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kQuarantineShown = 20;

struct IngestOptions {
  std::string file;
  std::string table;
  std::string inbox;
  std::string wait = "60s";
};

uint64_t Count(const Json& report, const char* key) { return report.value(key, uint64_t{0}); }

void PrintReport(Output& out, const Json& report) {
  out.Print(Facts()
                .Add("file", report.value("file", std::string()))
                .Add("table", report.value("table", std::string()))
                .Add("rows read", CountText(Count(report, "rows_read")))
                .Add("added", CountText(Count(report, "rows_added")))
                .Add("known already", CountText(Count(report, "rows_known")))
                .AddIf(Count(report, "rows_forgotten") > 0, "of forgotten customers",
                       CountText(Count(report, "rows_forgotten")))
                .Add("quarantined", CountText(Count(report, "rows_quarantined"))));
  if (!report.contains("quarantined") || report["quarantined"].empty()) return;
  Table table({{"line", Align::kRight}, {"fault"}, {"why it stayed out"}});
  const size_t shown = std::min(report["quarantined"].size(), kQuarantineShown);
  for (size_t i = 0; i < shown; ++i) {
    const Json& row = report["quarantined"][i];
    table.Row(
        {std::to_string(Count(row, "line")), row.value("fault", std::string()), row.value("reason", std::string())});
  }
  out.Text("\n");
  out.Print(table);
  if (Count(report, "rows_quarantined") > shown) {
    out.Text(fmt::format("… and {} more; the report has up to 1,000 of them\n",
                         CountText(Count(report, "rows_quarantined") - shown)));
  }
}

Status IngestFile(Context& context, const IngestOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const TableName table, TableName::Parse(options.table));
  AISLE_ASSIGN_OR_RETURN(const absl::Duration wait, ParseDuration(options.wait));
  AISLE_ASSIGN_OR_RETURN(const DropAnswer answer, DropAndWait({options.file, table, options.inbox, wait}));
  const Json report = Json::parse(answer.report, nullptr, false);
  if (!report.is_object()) return DataLoss("the agent's report {} isn't JSON", answer.path);
  if (context.options.json) {
    context.out.Json(report);
  } else if (!report.value("refused", false)) {
    PrintReport(context.out, report);
    context.out.Text(fmt::format("\nreport: {}\n", answer.path));
  }
  if (report.value("refused", false)) {
    return InvalidArgument("{} was refused: {} (report: {})", options.file,
                           report.value("refusal", std::string("no reason")), answer.path);
  }
  return OkStatus();
}

}  // namespace

void AddIngestCommand(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("ingest", "At the store: hand a CSV file to the agent and see what came of it");
  command->footer(
      "The file is copied into the agent's drop folder in one step, and stays where it is. Good rows go in, bad ones "
      "are\n"
      "quarantined with line and reason; the same file twice changes nothing. Exit code 4 if the whole file was "
      "refused,\n"
      "5 if no agent took it in time (it will, once it runs).\n\n"
      "  aisle ingest week-31.csv --table sales --inbox /var/lib/aisle/drop\n");
  IngestOptions& options = OnRun(*command, context, IngestFile);
  command->add_option("FILE", options.file, "A *.csv or *.csv.gz file")->type_name("FILE")->required();
  command->add_option("--table", options.table, "The table of tables.toml it belongs to")
      ->type_name("TABLE")
      ->required();
  command->add_option("--inbox", options.inbox, "The agent's drop folder")->type_name("DIR")->required();
  command->add_option("--wait", options.wait, "How long to wait for the agent's report")
      ->type_name("DURATION")
      ->capture_default_str();
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
