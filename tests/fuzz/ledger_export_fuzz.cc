// A store's ledger export, as an auditor gets it by mail. Signed by whoever made it: here by a key of ours, so that
// what is behind the signature is reached too.
#include "base/check.h"
#include "base/codec.h"
#include "base/identity/authority.h"
#include "base/identity/statement.h"
#include "cli/ledger_export.h"
#include "privacy/ledger.h"
#include "privacy/ledger_record.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::ledger_export {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);
constexpr std::string_view kBegin = "-----BEGIN AISLE LEDGER SIGNATURE-----\n";
constexpr std::string_view kEnd = "\n-----END AISLE LEDGER SIGNATURE-----\n";

const TlsIdentity& Signer() {
  static const TlsIdentity signer = [] {
    SecureRandom random;
    const auto authority =
        CertificateAuthority::Create(*ChainName::Parse("northwind"), KeyPair::Generate().value(), kAt, random).value();
    KeyPair key = KeyPair::Generate().value();
    Certificate certificate =
        authority
            .Issue(key, {Identity::Make(authority.chain(), Role::kStore, "leeds-01").value(), absl::Hours(72), {}}, kAt,
                   random)
            .value();
    return TlsIdentity{.ca_pem = authority.root_pem(), .certificate = std::move(certificate), .key = std::move(key)};
  }();
  return signer;
}

std::string Signed(std::string_view statement) {
  const std::string signature = SignStatement(Signer().key, cli::kLedgerExportDomain, statement).value();
  return fmt::format("{}{}{}{}{}", statement, kBegin, ToHex(signature), kEnd, Signer().certificate.pem());
}

std::string LedgerOf(int debits) {
  Ledger::Opened opened = Ledger::Open(*StoreId::Parse("leeds-01"), kAt - absl::Hours(100));
  std::string bytes = opened.bytes;
  for (int i = 1; i <= debits; ++i) {
    PendingDebit pending = opened.ledger
                               .Prepare({.population = *Population::Parse("customers"),
                                         .round = {*JobId::Parse("offers"), static_cast<uint32_t>(i)},
                                         .plan = Sha256::Of("plan"),
                                         .unit = i == 1 ? PrivacyUnit::kCustomer : PrivacyUnit::kStore,
                                         .noise_multiplier = 1.5,
                                         .sampling_rate = i == 1 ? 0.05 : 1,
                                         .delta = 1e-6},
                                        SpendingCaps(), kAt - absl::Hours(10))
                               .value();
    bytes += pending.bytes();
    AISLE_CHECK(opened.ledger.Commit(std::move(pending)).ok());
  }
  return bytes;
}

// Half a million releases keep the accountant busy for seconds, and under sanitizers for a minute.
bool TakesLong(std::string_view body) {
  const StatusOr<LedgerEntry> entry = DecodeEntry(body);
  return entry.ok() && entry->debit.releases > 1000;
}

// The input is a list of entries, of a ledger that somebody has made up and chained as it must be: what the program can
// state, it can check.
void TryLedger(std::string_view input) {
  std::string bytes = LedgerOf(0);
  Digest last = Ledger::Load(bytes)->ledger.head().digest;
  for (ByteReader in(input); in.remaining() > 0;) {
    const std::string_view body = in.String(kLedgerBodySizeMax);
    if (!in.ok()) break;
    if (TakesLong(body)) return;
    const LedgerRecord record = MakeRecord(last, body);
    bytes += record.bytes;
    last = record.digest;
  }
  const StatusOr<std::string> made = cli::MakeLedgerExport(bytes, SitePolicy(), Signer(), kAt);
  if (!made.ok()) return;
  const Status checked = cli::CheckLedgerExport(*made, Signer().ca_pem).status();
  AISLE_CHECK(checked.ok(), "{}", MessageOf(checked));
}

void TryMail(std::string_view input) { (void)cli::CheckLedgerExport(input, Signer().ca_pem); }

void TryStatement(std::string_view input) {
  const auto checked = cli::CheckLedgerExport(Signed(input), Signer().ca_pem);
  if (checked.ok()) AISLE_CHECK(checked->store == "leeds-01" && checked->chain == "northwind");
}

}  // namespace

void TryInput(std::string_view input) {
  const Chosen chosen = Choose(input, 3);
  if (chosen.which == 0) TryMail(chosen.input);
  if (chosen.which == 1) TryStatement(chosen.input);
  if (chosen.which == 2) TryLedger(chosen.input);
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const int debits : {0, 1, 2}) {
    const std::string whole = cli::MakeLedgerExport(LedgerOf(debits), SitePolicy(), Signer(), kAt).value();
    seeds.push_back(Choosing(1, whole.substr(0, whole.find(kBegin))));
    if (debits == 1) seeds.push_back(Choosing(0, whole));
  }
  ByteWriter entries;
  const Ledger::Loaded loaded = Ledger::Load(LedgerOf(2)).value();
  for (const LedgerEntry& entry : loaded.ledger.entries()) entries.String(EncodeEntry(entry));
  seeds.push_back(Choosing(2, entries.bytes()));
  return seeds;
}

}  // namespace aisle::fuzz::ledger_export

AISLE_DEAR_FUZZ_TARGET(ledger_export, 60);
