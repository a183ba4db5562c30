#include "cli/ledger_export.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/identity/statement.h"
#include "base/version.h"
#include "cli/ledger_report.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "aisle/ledger-export/v1";
constexpr std::string_view kBegin = "-----BEGIN AISLE LEDGER SIGNATURE-----\n";
constexpr std::string_view kEnd = "\n-----END AISLE LEDGER SIGNATURE-----\n";

// All that follows from the ledger alone: what a check computes again.
Json AccountOf(const Ledger& ledger, double delta, absl::Time now) {
  Json populations = Json::array();
  for (const PopulationReport& report : ReportOf(ledger, delta, now)) populations.push_back(ToJson(report));
  Json entries = Json::array();
  for (const LedgerEntry& entry : ledger.entries()) entries.push_back(ToJson(entry));
  return {{"store", ledger.owner().str()},
          {"opened", FormatUtc(ledger.opened_at())},
          {"head", {{"entries", ledger.head().entries}, {"sha256", ledger.head().digest.Hex()}}},
          {"delta", delta},
          {"populations", std::move(populations)},
          {"entries", std::move(entries)}};
}

struct Parts {
  std::string_view statement;
  std::string signature;
  Certificate certificate;
};

StatusOr<Parts> Take(std::string_view bytes) {
  const size_t begin = bytes.find(kBegin);
  const size_t end = begin == std::string_view::npos ? begin : bytes.find(kEnd, begin);
  if (end == std::string_view::npos) {
    return InvalidArgument("this is no ledger export: it has no signature, or was cut off");
  }
  const size_t hex = begin + kBegin.size();
  AISLE_ASSIGN_OR_RETURN(std::string signature, FromHex(bytes.substr(hex, end - hex)));
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(bytes.substr(end + kEnd.size())));
  return Parts{bytes.substr(0, begin), std::move(signature), std::move(certificate)};
}

StatusOr<absl::Time> TimeIn(const Json& statement, const char* key) {
  absl::Time time;
  const std::string text = statement[key];
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
    return InvalidArgument("the ledger export's \"{}\" is \"{}\", no time", key, text);
  }
  return time;
}

StatusOr<Json> ParseStatement(std::string_view text) {
  Json statement = Json::parse(text, nullptr, false);
  if (!statement.is_object()) return InvalidArgument("this is no ledger export: its statement isn't JSON");
  for (const char* key : {"format", "ledger", "store", "chain", "exported"}) {
    if (!statement.contains(key) || !statement[key].is_string()) {
      return InvalidArgument("the ledger export has no \"{}\"", key);
    }
  }
  if (statement["format"] != kFormat) {
    return InvalidArgument("the ledger export has the format {}; this program reads {}", statement["format"].dump(),
                           kFormat);
  }
  if (!statement.contains("delta") || !statement["delta"].is_number()) {
    return InvalidArgument("the ledger export has no \"delta\"");
  }
  return statement;
}

Status CheckSigner(const Parts& parts, const Json& statement, absl::Time exported,
                   const std::optional<std::string>& ca_pem) {
  AISLE_RETURN_IF_ERROR(VerifyStatement(parts.certificate, kLedgerExportDomain, parts.statement, parts.signature));
  const Identity& signer = parts.certificate.identity();
  if (signer.role != Role::kStore || signer.name != statement["store"] || signer.chain.str() != statement["chain"]) {
    return Unauthenticated("the export speaks of {} and is signed by {} '{}' of {}", statement["store"].dump(),
                           RoleName(signer.role), signer.name, signer.chain);
  }
  return ca_pem ? parts.certificate.CheckIssuedBy(*ca_pem, exported) : OkStatus();
}

// Alike but for the last digits of numbers, in which machines may differ.
bool Agree(const Json& said, const Json& found) {
  if (said.is_number() && found.is_number()) {
    const double a = said;
    const double b = found;
    return std::fabs(a - b) <= 1e-6 * std::max({1.0, std::fabs(a), std::fabs(b)});
  }
  if (said.type() != found.type() || said.size() != found.size()) return false;
  if (!said.is_structured()) return said == found;
  if (said.is_array()) return std::ranges::equal(said, found, Agree);
  return std::ranges::all_of(found.items(), [&](const auto& item) {
    return said.contains(item.key()) && Agree(said[item.key()], item.value());
  });
}

// Every figure of the statement that follows from the ledger, computed again from the ledger in it.
Status CheckFigures(const Json& statement, const Ledger& ledger, absl::Time exported) {
  const double delta = statement["delta"];
  if (!(delta > 0 && delta < 1)) return InvalidArgument("the ledger export's delta is {}", delta);
  const Json account = AccountOf(ledger, delta, exported);
  for (const auto& [key, value] : account.items()) {
    if (statement.contains(key) && Agree(statement[key], value)) continue;
    return DataLoss("the export's \"{}\" isn't what the ledger in it gives", key);
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::string> MakeLedgerExport(std::string_view ledger_bytes, const SitePolicy& policy,
                                       const TlsIdentity& identity, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(const Ledger::Loaded loaded, Ledger::Load(ledger_bytes));
  const Identity& signer = identity.certificate.identity();
  if (signer.role != Role::kStore || signer.name != loaded.ledger.owner().str()) {
    return FailedPrecondition("the ledger is {}'s, and the identity at hand is {} '{}'", loaded.ledger.owner(),
                              RoleName(signer.role), signer.name);
  }
  now = absl::FromUnixSeconds(absl::ToUnixSeconds(now));  // As it is written, so that a check counts from there.
  Json statement = {{"format", kFormat},
                    {"program", fmt::format("aisle {}", Version())},
                    {"chain", signer.chain.str()},
                    {"exported", FormatUtc(now)},
                    {"caps", CapsJson(policy.caps)},
                    {"customers", CustomersJson(policy.customers)}};
  statement.update(AccountOf(loaded.ledger, policy.caps.delta, now));
  statement["ledger"] = ToHex(ledger_bytes.substr(0, loaded.intact_size));
  const std::string text = statement.dump(2) + "\n";
  AISLE_ASSIGN_OR_RETURN(const std::string signature, SignStatement(identity.key, kLedgerExportDomain, text));
  return fmt::format("{}{}{}{}{}", text, kBegin, ToHex(signature), kEnd, identity.certificate.pem());
}

bool LooksLikeLedgerExport(std::string_view bytes) { return bytes.starts_with('{'); }

StatusOr<CheckedExport> CheckLedgerExport(std::string_view bytes, const std::optional<std::string>& ca_pem) {
  AISLE_ASSIGN_OR_RETURN(const Parts parts, Take(bytes));
  AISLE_ASSIGN_OR_RETURN(const Json statement, ParseStatement(parts.statement));
  AISLE_ASSIGN_OR_RETURN(const absl::Time exported, TimeIn(statement, "exported"));
  AISLE_RETURN_IF_ERROR(CheckSigner(parts, statement, exported, ca_pem));
  AISLE_ASSIGN_OR_RETURN(const std::string ledger_bytes, FromHex(statement["ledger"].get<std::string>()));
  AISLE_ASSIGN_OR_RETURN(const Ledger::Loaded loaded, Ledger::Load(ledger_bytes));
  if (loaded.torn_size > 0) return DataLoss("the export's ledger ends in the middle of a record");
  AISLE_RETURN_IF_ERROR(CheckFigures(statement, loaded.ledger, exported));
  return CheckedExport{.store = statement["store"],
                       .chain = statement["chain"],
                       .exported = exported,
                       .entries = loaded.ledger.head().entries,
                       .head = loaded.ledger.head().digest.Hex(),
                       .issuer_checked = ca_pem.has_value()};
}

}  // namespace aisle::cli
