// aisle ledger show|verify: at the store, what has left it and at what epsilon.
#include <nlohmann/json.hpp>

#include <filesystem>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "privacy/ledger.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kLedgerSizeMax = uint64_t{1} << 30;

struct LedgerOptions {
  std::string data;
  double delta = 0;  // 0: the latest entry's.
};

struct Read {
  std::string path;
  Ledger::Loaded loaded;
};

// `data` is the agent's data folder, its ledger folder, or the file itself.
std::string LedgerPath(const std::string& data) {
  std::error_code error;
  for (const char* below : {"/ledger/ledger", "/ledger"}) {
    if (std::filesystem::is_regular_file(data + below, error)) return data + below;
  }
  return data;
}

StatusOr<Read> ReadLedger(const std::string& data) {
  const std::string path = LedgerPath(data);
  if (std::error_code error; std::filesystem::is_directory(path, error)) {
    return NotFound("there is no ledger in {}: an agent begins one before its first release", data);
  }
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLedgerSizeMax));
  StatusOr<Ledger::Loaded> loaded = Ledger::Load(bytes);
  if (!loaded.ok()) return Annotate(loaded.status(), path);
  return Read{path, *std::move(loaded)};
}

std::string SpentText(const Spending& spending) {
  if (spending.unbounded_releases > 0) {
    return fmt::format("unbounded ({} releases without noise); {} for the others", spending.unbounded_releases,
                       NumberText(spending.floor_epsilon));
  }
  return NumberText(spending.floor_epsilon);
}

Json EntryJson(const LedgerEntry& entry) {
  const Debit& debit = entry.debit;
  return {{"number", entry.number},
          {"at", FormatUtc(entry.at)},
          {"population", debit.population.str()},
          {"round", ToString(debit.round)},
          {"plan_sha256", debit.plan.Hex()},
          {"unit", ToString(debit.unit)},
          {"noise_multiplier", debit.noise_multiplier},
          {"sampling_rate", debit.sampling_rate},
          {"releases", debit.releases},
          {"delta", debit.delta},
          {"sha256", entry.digest.Hex()}};
}

Json LedgerJson(const Ledger& ledger, double delta) {
  Json populations = Json::array();
  for (const Population& population : ledger.populations()) {
    const Spending spending = ledger.SpendingOf(population, delta);
    populations.push_back({{"population", population.str()},
                           {"floor_epsilon", spending.floor_epsilon},
                           {"delta", spending.delta},
                           {"releases", spending.releases},
                           {"unbounded_releases", spending.unbounded_releases}});
  }
  Json entries = Json::array();
  for (const LedgerEntry& entry : ledger.entries()) entries.push_back(EntryJson(entry));
  return {{"store", ledger.owner().str()},
          {"opened", FormatUtc(ledger.opened_at())},
          {"head", {{"entries", ledger.head().entries}, {"sha256", ledger.head().digest.Hex()}}},
          {"populations", std::move(populations)},
          {"entries", std::move(entries)}};
}

void PrintLedger(Output& out, const Ledger& ledger, double delta) {
  out.Print(Facts()
                .Add("ledger of", ledger.owner().str())
                .Add("since", FormatUtc(ledger.opened_at()))
                .Add("entries", CountText(ledger.entries().size())));
  Table populations(
      {{"population"}, {fmt::format("epsilon at delta {}", NumberText(delta))}, {"releases", Align::kRight}});
  for (const Population& population : ledger.populations()) {
    const Spending spending = ledger.SpendingOf(population, delta);
    populations.Row(
        {population.str(), SpentText(spending), CountText(spending.releases + spending.unbounded_releases)});
  }
  Table entries({{"#", Align::kRight},
                 {"when"},
                 {"population"},
                 {"round"},
                 {"unit"},
                 {"noise multiplier", Align::kRight},
                 {"releases", Align::kRight},
                 {"plan"}});
  for (const LedgerEntry& entry : ledger.entries()) {
    const Debit& debit = entry.debit;
    entries.Row({fmt::format("{}", entry.number), FormatUtc(entry.at), debit.population.str(), ToString(debit.round),
                 std::string(ToString(debit.unit)),
                 debit.unit == PrivacyUnit::kNone ? "-" : NumberText(debit.noise_multiplier), CountText(debit.releases),
                 debit.plan.ShortHex()});
  }
  if (ledger.entries().empty()) return out.Text("\nNothing has left this store.\n");
  out.Text("\n");
  out.Print(populations);
  out.Text("\n");
  out.Print(entries);
}

// The delta that the plan of the latest release stated; a ledger without releases has spent nothing at any.
double LatestDelta(const Ledger& ledger) {
  constexpr double kUsual = 1e-6;
  return ledger.entries().empty() || ledger.entries().back().debit.delta == 0 ? kUsual
                                                                              : ledger.entries().back().debit.delta;
}

Status ShowLedger(Context& context, const LedgerOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const Read read, ReadLedger(options.data));
  const double delta = options.delta == 0 ? LatestDelta(read.loaded.ledger) : options.delta;
  if (!(delta > 0 && delta < 1)) return InvalidArgument("--delta {} is outside of (0, 1)", delta);
  if (context.options.json) {
    context.out.Json(LedgerJson(read.loaded.ledger, delta));
  } else {
    PrintLedger(context.out, read.loaded.ledger, delta);
  }
  return OkStatus();
}

Status VerifyLedger(Context& context, const LedgerOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const Read read, ReadLedger(options.data));
  const LedgerHead head = read.loaded.ledger.head();
  if (context.options.json) {
    context.out.Json({{"intact", true},
                      {"file", read.path},
                      {"store", read.loaded.ledger.owner().str()},
                      {"entries", head.entries},
                      {"head_sha256", head.digest.Hex()},
                      {"torn_bytes", read.loaded.torn_size}});
    return OkStatus();
  }
  context.out.Print(Facts()
                        .Add("ledger", read.path)
                        .Add("chain", fmt::format("intact: {} entries, each bound to the one before", head.entries))
                        .Add("head", head.digest.Hex())
                        .AddIf(read.loaded.torn_size > 0, "torn end",
                               fmt::format("{} bytes of a record that a power cut stopped; nothing left under it",
                                           read.loaded.torn_size)));
  context.out.Text(
      "Compare the head with one noted earlier or elsewhere: a file cut or rolled back whole is a chain too.\n");
  return OkStatus();
}

LedgerOptions& AddOnLedger(CLI::App& command, Context& context, Status (*run)(Context&, const LedgerOptions&)) {
  LedgerOptions& options = OnRun(command, context, run);
  command.add_option("--data", options.data, "The agent's data folder, or a copy of its ledger file")
      ->type_name("DIR")
      ->required();
  AddJsonFlag(command, context);
  return options;
}

}  // namespace

void AddLedgerCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("ledger", "At the store: what has left it, and at what epsilon");
  group->require_subcommand(1);
  CLI::App* show = group->add_subcommand("show", "Every release, and the epsilon each population has spent");
  LedgerOptions& shown = AddOnLedger(*show, context, ShowLedger);
  show->add_option("--delta", shown.delta, "The delta at which epsilon is stated [the latest release's]")
      ->type_name("D");
  CLI::App* verify = group->add_subcommand("verify", "Check the chain of hashes from the first entry to the last");
  verify->footer("Exit code 4 if an entry was edited, inserted, removed or moved.\n");
  AddOnLedger(*verify, context, VerifyLedger);
}

}  // namespace aisle::cli
