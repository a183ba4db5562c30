// aisle ledger show|verify|export: at the store, what has left it and at what epsilon.
#include <absl/time/clock.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/ledger_export.h"
#include "cli/ledger_report.h"
#include "cli/text.h"
#include "privacy/ledger.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kLedgerSizeMax = uint64_t{1} << 30;
constexpr uint64_t kExportSizeMax = uint64_t{4} << 30;

struct LedgerOptions {
  std::string data;
  double delta = 0;    // 0: the policy's, or else the latest entry's.
  std::string policy;  // The site policy's file.
  std::string out;
  std::string file;  // To verify: a ledger or an export.
  std::string ca;
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

// The policy that is named, or lies beside the data folder as the samples have it; none if there is neither.
StatusOr<std::optional<SitePolicy>> PolicyOf(const LedgerOptions& options) {
  std::string path = options.policy;
  if (path.empty()) {
    path = std::filesystem::path(options.data).lexically_normal().parent_path() / "site-policy.toml";
    if (std::filesystem::path(options.data).filename().empty()) {  // "state/".
      path = std::filesystem::path(options.data).parent_path().parent_path() / "site-policy.toml";
    }
    if (!FileExists(path)) return std::optional<SitePolicy>();
  }
  if (!FileExists(path)) return NotFound("there is no site policy {}", path);
  AISLE_ASSIGN_OR_RETURN(SitePolicy policy, SitePolicy::ParseFile(path));
  return std::optional(std::move(policy));
}

std::string EpsilonText(const TierReport& tier) {
  if (!tier.tight) return NumberText(tier.renyi);
  return fmt::format("{} ({})", NumberText(tier.renyi), NumberText(*tier.tight));
}

Json LedgerJson(const Ledger& ledger, double delta, const std::vector<PopulationReport>& reports,
                const std::optional<SitePolicy>& policy) {
  Json populations = Json::array();
  for (const PopulationReport& report : reports) populations.push_back(ToJson(report));
  Json entries = Json::array();
  for (const LedgerEntry& entry : ledger.entries()) entries.push_back(ToJson(entry));
  return {{"store", ledger.owner().str()},
          {"opened", FormatUtc(ledger.opened_at())},
          {"head", {{"entries", ledger.head().entries}, {"sha256", ledger.head().digest.Hex()}}},
          {"delta", delta},
          {"caps", policy ? CapsJson(policy->caps) : Json()},
          {"customers", policy ? CustomersJson(policy->customers) : Json()},
          {"populations", std::move(populations)},
          {"entries", std::move(entries)}};
}

void PrintPopulations(Output& out, const std::vector<PopulationReport>& reports, double delta) {
  Table spent({{"population"},
               {"epsilon of one"},
               {"floor, this year"},
               {"aggregate, this year"},
               {"floor, ever"},
               {"releases", Align::kRight}});
  for (const PopulationReport& report : reports) {
    const std::string ever = report.unbounded_releases == 0
                                 ? EpsilonText(report.ever.floor)
                                 : fmt::format("unbounded ({} without noise)", report.unbounded_releases);
    spent.Row({report.population.str(), report.unit, EpsilonText(report.year.floor), EpsilonText(report.year.aggregate),
               ever, CountText(report.releases + report.unbounded_releases)});
  }
  out.Print(spent);
  out.Text(fmt::format(
      "Epsilon at delta {} by Renyi accounting, which the store enforces (in brackets: the tight figure).\n",
      NumberText(delta)));
  for (const PopulationReport& report : reports) {
    if (report.presences.empty()) continue;
    out.Text(fmt::format("People of {} in several stores: {}.\n", report.population, PresenceText(report.presences)));
  }
}

void PrintEntries(Output& out, const Ledger& ledger) {
  Table entries({{"#", Align::kRight},
                 {"when"},
                 {"population"},
                 {"round"},
                 {"unit"},
                 {"noise multiplier", Align::kRight},
                 {"sampling", Align::kRight},
                 {"releases", Align::kRight},
                 {"honest stores", Align::kRight},
                 {"plan"}});
  for (const LedgerEntry& entry : ledger.entries()) {
    const Debit& debit = entry.debit;
    entries.Row({fmt::format("{}", entry.number), FormatUtc(entry.at), debit.population.str(), ToString(debit.round),
                 std::string(ToString(debit.unit)),
                 debit.unit == PrivacyUnit::kNone ? "-" : NumberText(debit.noise_multiplier),
                 debit.sampling_rate == 1 ? "-" : NumberText(debit.sampling_rate), CountText(debit.releases),
                 CountText(debit.sum_stores), debit.plan.ShortHex()});
  }
  out.Print(entries);
  out.Text(
      "Honest stores: whose noise is at least in what anybody else sees. 1: headquarters sees this store's vector.\n");
}

std::string CapText(double cap) { return std::isfinite(cap) ? NumberText(cap) : "none"; }

void PrintLedger(Output& out, const Ledger& ledger, double delta, const std::vector<PopulationReport>& reports,
                 const std::optional<SitePolicy>& policy) {
  Facts facts;
  facts.Add("ledger of", ledger.owner().str())
      .Add("since", FormatUtc(ledger.opened_at()))
      .Add("entries", CountText(ledger.entries().size()));
  if (policy) {
    facts.Add("caps a year",
              fmt::format("floor {}, aggregate {}; for ever, floor {}", CapText(policy->caps.floor_per_year),
                          CapText(policy->caps.aggregate_per_year), CapText(policy->caps.floor_ever)));
  }
  out.Print(facts);
  if (ledger.entries().empty()) return out.Text("\nNothing has left this store.\n");
  out.Text("\n");
  PrintPopulations(out, reports, delta);
  out.Text("\n");
  PrintEntries(out, ledger);
}

// The policy's delta, which its caps are at; else the one that the plan of the latest release stated.
double UsualDelta(const Ledger& ledger, const std::optional<SitePolicy>& policy) {
  constexpr double kUsual = 1e-6;
  if (policy) return policy->caps.delta;
  return ledger.entries().empty() || ledger.entries().back().debit.delta == 0 ? kUsual
                                                                              : ledger.entries().back().debit.delta;
}

Status ShowLedger(Context& context, const LedgerOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const Read read, ReadLedger(options.data));
  AISLE_ASSIGN_OR_RETURN(const std::optional<SitePolicy> policy, PolicyOf(options));
  const Ledger& ledger = read.loaded.ledger;
  const double delta = options.delta == 0 ? UsualDelta(ledger, policy) : options.delta;
  if (!(delta > 0 && delta < 1)) return InvalidArgument("--delta {} is outside of (0, 1)", delta);
  const std::vector<PopulationReport> reports = ReportOf(ledger, delta, absl::Now());
  if (context.options.json) {
    context.out.Json(LedgerJson(ledger, delta, reports, policy));
  } else {
    PrintLedger(context.out, ledger, delta, reports, policy);
  }
  return OkStatus();
}

Status ExportLedger(Context& context, const LedgerOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const std::string ledger, ReadFile(LedgerPath(options.data), kLedgerSizeMax));
  AISLE_ASSIGN_OR_RETURN(const std::optional<SitePolicy> policy, PolicyOf(options));
  if (!policy) {
    return NotFound(
        "the statement names the site's caps, and there is no site-policy.toml beside {}; give it with --policy",
        options.data);
  }
  AISLE_ASSIGN_OR_RETURN(const TlsIdentity identity, LoadTlsBundle(options.data + "/identity/identity.pem"));
  AISLE_ASSIGN_OR_RETURN(const std::string statement, MakeLedgerExport(ledger, *policy, identity, absl::Now()));
  if (options.out.empty()) {
    context.out.Text(statement);
    return OkStatus();
  }
  if (FileExists(options.out)) return AlreadyExists("{} exists already; nothing was written", options.out);
  AISLE_RETURN_IF_ERROR(WriteFileDurably(options.out, statement));
  if (context.options.json) {
    context.out.Json({{"file", options.out}, {"store", identity.certificate.identity().name}});
    return OkStatus();
  }
  context.out.Text(
      fmt::format("{} states the ledger of {}, signed with its key. Anybody who has the chain's ca.pem can "
                  "check it: aisle ledger verify {} --ca ca.pem\n",
                  options.out, identity.certificate.identity().name, options.out));
  return OkStatus();
}

Status VerifyExport(Context& context, const LedgerOptions& options, const std::string& bytes) {
  std::optional<std::string> ca;
  if (!options.ca.empty()) {
    AISLE_ASSIGN_OR_RETURN(ca, ReadFile(options.ca, kRootsSizeMax));
  }
  const StatusOr<CheckedExport> checked = CheckLedgerExport(bytes, ca);
  if (!checked.ok()) return Annotate(checked.status(), options.file);
  if (context.options.json) {
    context.out.Json({{"intact", true},
                      {"file", options.file},
                      {"store", checked->store},
                      {"chain", checked->chain},
                      {"exported", FormatUtc(checked->exported)},
                      {"entries", checked->entries},
                      {"head_sha256", checked->head},
                      {"issuer_checked", checked->issuer_checked}});
    return OkStatus();
  }
  context.out.Print(Facts()
                        .Add("statement of", fmt::format("{} of {}", checked->store, checked->chain))
                        .Add("made", FormatUtc(checked->exported))
                        .Add("chain", fmt::format("intact: {} entries, each bound to the one before", checked->entries))
                        .Add("figures", "computed again from the ledger in it, and alike")
                        .Add("head", checked->head)
                        .Add("signature", "by the key of the certificate in it")
                        .Add("certificate", checked->issuer_checked
                                                ? "issued by this chain, and valid when the statement was made"
                                                : "NOT CHECKED: give the chain's ca.pem with --ca"));
  return OkStatus();
}

Status VerifyLedger(Context& context, const LedgerOptions& options) {
  if (options.data.empty() == options.file.empty())
    return InvalidArgument("give either FILE or --data, and one of them");
  if (!options.file.empty()) {
    AISLE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file, kExportSizeMax));
    if (LooksLikeLedgerExport(bytes)) return VerifyExport(context, options, bytes);
  }
  AISLE_ASSIGN_OR_RETURN(const Read read, ReadLedger(options.data.empty() ? options.file : options.data));
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

CLI::Option* AddData(CLI::App& command, LedgerOptions& options) {
  return command.add_option("--data", options.data, "The agent's data folder, or a copy of its ledger file")
      ->type_name("DIR");
}

void AddPolicy(CLI::App& command, LedgerOptions& options) {
  command
      .add_option("--policy", options.policy, "The site policy, for its caps and delta [site-policy.toml beside DIR]")
      ->type_name("FILE");
}

void AddShow(CLI::App& group, Context& context) {
  CLI::App* show = group.add_subcommand("show", "Every release, and the epsilon each population has spent");
  LedgerOptions& options = OnRun(*show, context, ShowLedger);
  AddData(*show, options)->required();
  AddPolicy(*show, options);
  show->add_option("--delta", options.delta,
                   "The delta at which epsilon is stated [the policy's, or the latest release's]")
      ->type_name("D");
  AddJsonFlag(*show, context);
}

void AddVerify(CLI::App& group, Context& context) {
  CLI::App* verify = group.add_subcommand("verify", "Check a ledger's chain of hashes, or a signed export of one");
  verify->footer(
      "Exit code 4 if an entry was edited, inserted, removed or moved, or an export isn't what was signed.\n\n"
      "  aisle ledger verify --data /var/lib/aisle\n"
      "  aisle ledger verify leeds-01.ledger.export --ca ca.pem\n");
  LedgerOptions& options = OnRun(*verify, context, VerifyLedger);
  verify->add_option("FILE", options.file, "A ledger file or an export");
  AddData(*verify, options);
  verify->add_option("--ca", options.ca, "The chain's root certificate, to check an export's signer by")
      ->type_name("FILE");
  AddJsonFlag(*verify, context);
}

void AddExport(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("export", "State the whole ledger for an auditor, signed with the store's key");
  command->footer(
      "The statement holds every entry, the totals by population and tier, the site's caps and its rule for customers\n"
      "of several stores, and the head of the chain. Run it at the store, as the agent's user.\n\n"
      "  aisle ledger export --data /var/lib/aisle --policy /etc/aisle/site-policy.toml --out "
      "leeds-01.ledger.export\n");
  LedgerOptions& options = OnRun(*command, context, ExportLedger);
  AddData(*command, options)->required();
  AddPolicy(*command, options);
  command->add_option("--out", options.out, "Where to write it; never overwritten [standard output]")
      ->type_name("FILE");
  AddJsonFlag(*command, context);
}

}  // namespace

void AddLedgerCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("ledger", "At the store: what has left it, and at what epsilon");
  group->require_subcommand(1);
  AddShow(*group, context);
  AddVerify(*group, context);
  AddExport(*group, context);
}

}  // namespace aisle::cli
