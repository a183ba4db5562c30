// A store's signed statement of its ledger: whole, readable, and of no use once anything in it is changed.
#include "cli/ledger_export.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/identity/authority.h"
#include "base/identity/statement.h"
#include "privacy/ledger.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

const absl::Time kNow = absl::Now();

CertificateAuthority Authority() {
  SecureRandom random;
  return CertificateAuthority::Create(ChainName::Parse("northwind").value(), KeyPair::Generate().value(), kNow, random)
      .value();
}

class LedgerExportTest : public ::testing::Test {
 protected:
  LedgerExportTest() {
    Ledger::Opened opened = Ledger::Open(StoreId::Parse("leeds-01").value(), kNow - absl::Hours(100));
    ledger_ = opened.bytes;
    for (uint32_t round = 1; round <= 3; ++round) {
      Debit debit{.population = Population::Parse(round == 3 ? "store" : "customers").value(),
                  .round = {JobId::Parse("offers").value(), round},
                  .plan = Sha256::Of("plan"),
                  .unit = round == 3 ? PrivacyUnit::kStore : PrivacyUnit::kCustomer,
                  .noise_multiplier = 1.5,
                  .sampling_rate = round == 3 ? 1 : 0.05,
                  .delta = 1e-6};
      if (round < 3) {
        debit.sum_stores = 40;
        debit.presence = Presence::kHomeStore;
      }
      PendingDebit pending = opened.ledger.Prepare(debit, SpendingCaps(), kNow - absl::Hours(10)).value();
      ledger_ += pending.bytes();
      EXPECT_TRUE(opened.ledger.Commit(std::move(pending)).ok());
    }
  }

  TlsIdentity Identity(std::string_view store = "leeds-01", Role role = Role::kStore) {
    KeyPair key = KeyPair::Generate().value();
    Certificate certificate = authority_
                                  .Issue(key,
                                         {.identity = aisle::Identity::Make(authority_.chain(), role, store).value(),
                                          .lifetime = absl::Hours(72)},
                                         kNow, random_)
                                  .value();
    return {.ca_pem = authority_.root_pem(), .certificate = std::move(certificate), .key = std::move(key)};
  }
  std::string Export() { return MakeLedgerExport(ledger_, policy_, identity_, kNow).value(); }
  StatusCode Check(const std::string& bytes) const {
    return CheckLedgerExport(bytes, authority_.root_pem()).status().code();
  }
  // The statement changed by its own signer.
  template <typename Change>
  std::string Resigned(Change change) {
    const std::string whole = Export();
    OrderedJson statement = OrderedJson::parse(whole.substr(0, whole.find("-----BEGIN AISLE")));
    change(statement);
    const std::string text = statement.dump(2) + "\n";
    const std::string signature = SignStatement(identity_.key, kLedgerExportDomain, text).value();
    return text + "-----BEGIN AISLE LEDGER SIGNATURE-----\n" + ToHex(signature) +
           "\n-----END AISLE LEDGER SIGNATURE-----\n" + identity_.certificate.pem();
  }

  TemporaryFolder folder_;
  SecureRandom random_;
  CertificateAuthority authority_ = Authority();
  TlsIdentity identity_ = Identity();
  SitePolicy policy_;
  std::string ledger_;
};

TEST_F(LedgerExportTest, StatesAllThatAnAuditorAsks) {
  const std::string whole = Export();
  const OrderedJson statement = OrderedJson::parse(whole.substr(0, whole.find("-----BEGIN AISLE")));
  EXPECT_EQ(statement["store"], "leeds-01");
  EXPECT_EQ(statement["chain"], "northwind");
  EXPECT_EQ(statement["caps"]["floor_epsilon_per_year"], 10);
  EXPECT_EQ(statement["customers"]["presence"], "this_store");
  EXPECT_EQ(statement["entries"].size(), 3u);
  EXPECT_EQ(statement["entries"][0]["sampling_rate"], 0.05);
  const OrderedJson& customers = statement["populations"][0];
  EXPECT_EQ(customers["population"], "customers");
  EXPECT_EQ(customers["unit"], "customer");
  EXPECT_EQ(customers["presence"][0], "home_store");
  const OrderedJson& year = customers["year"];
  EXPECT_GT(year["floor_epsilon"].get<double>(), year["aggregate_epsilon"].get<double>());
  EXPECT_LE(year["floor_epsilon_tight"].get<double>(), year["floor_epsilon"].get<double>());
  EXPECT_GT(year["floor_epsilon_tight"].get<double>(), 0);
  EXPECT_EQ(statement["populations"][1]["unit"], "store");
}

TEST_F(LedgerExportTest, ChecksOutAgainstItsChain) {
  const StatusOr<CheckedExport> checked = CheckLedgerExport(Export(), authority_.root_pem());
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->store, "leeds-01");
  EXPECT_EQ(checked->entries, 3u);
  EXPECT_EQ(checked->head, Ledger::Load(ledger_)->ledger.head().digest.Hex());
  EXPECT_TRUE(checked->issuer_checked);
  EXPECT_FALSE(CheckLedgerExport(Export(), std::nullopt)->issuer_checked);
}

TEST_F(LedgerExportTest, NoCharacterOfItCanBeChanged) {
  const std::string whole = Export();
  const size_t signature = whole.find("-----BEGIN AISLE");
  for (size_t at = 0; at < signature; at += 17) {
    std::string edited = whole;
    edited[at] = edited[at] == '1' ? '2' : '1';
    EXPECT_NE(Check(edited), StatusCode::kOk) << at;
  }
  // All but the last line end, which says nothing.
  for (size_t size = 0; size + 1 < whole.size(); size += 13) EXPECT_NE(Check(whole.substr(0, size)), StatusCode::kOk);
  EXPECT_EQ(Check(whole), StatusCode::kOk);
}

TEST_F(LedgerExportTest, ItsOwnSignerCannotStateOtherFigures) {
  EXPECT_EQ(Check(Resigned([](OrderedJson&) {})), StatusCode::kOk);
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["populations"][0]["year"]["floor_epsilon"] = 0.1; })),
            StatusCode::kDataLoss);
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["entries"].erase(1); })), StatusCode::kDataLoss);
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["head"]["entries"] = 2; })), StatusCode::kDataLoss);
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["populations"][0]["presence"] = {"this_store"}; })),
            StatusCode::kDataLoss);
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) {
              const std::string hex = s["ledger"];
              s["ledger"] = hex.substr(0, hex.size() - 2);
            })),
            StatusCode::kDataLoss);
}

TEST_F(LedgerExportTest, RefusesFieldsOfOtherTypes) {
  for (const char* key : {"format", "ledger", "store", "chain", "exported", "delta"}) {
    EXPECT_EQ(Check(Resigned([key](OrderedJson& s) { s[key] = OrderedJson::array({5}); })),
              StatusCode::kInvalidArgument)
        << key;
    EXPECT_EQ(Check(Resigned([key](OrderedJson& s) { s.erase(key); })), StatusCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["delta"] = 7; })), StatusCode::kInvalidArgument);
  EXPECT_EQ(Check("{}"), StatusCode::kInvalidArgument);
}

TEST_F(LedgerExportTest, OnlyTheStoreItselfCanSignIt) {
  EXPECT_EQ(MakeLedgerExport(ledger_, policy_, Identity("leeds-02"), kNow).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(MakeLedgerExport(ledger_, policy_, Identity("leeds-01", Role::kAdmin), kNow).status().code(),
            StatusCode::kFailedPrecondition);
  identity_ = Identity("leeds-02");
  Ledger::Opened other = Ledger::Open(StoreId::Parse("leeds-02").value(), kNow);
  ledger_ = other.bytes;
  EXPECT_EQ(Check(Resigned([](OrderedJson& s) { s["store"] = "leeds-01"; })), StatusCode::kUnauthenticated);
}

TEST_F(LedgerExportTest, AnotherChainsCertificateIsNoSigner) {
  EXPECT_EQ(CheckLedgerExport(Export(), Authority().root_pem()).status().code(), StatusCode::kUnauthenticated);
  // Nor a certificate that wasn't valid when the statement says it was made.
  const std::string late = MakeLedgerExport(ledger_, policy_, identity_, kNow + absl::Hours(100)).value();
  EXPECT_EQ(Check(late), StatusCode::kUnauthenticated);
}

TEST_F(LedgerExportTest, TheCommandWritesAndChecksIt) {
  std::filesystem::create_directories(folder_ / "state/identity");
  std::filesystem::create_directories(folder_ / "state/ledger");
  Write(folder_ / "state/ledger/ledger", ledger_);
  Write(folder_ / "site-policy.toml", "[privacy]\nfloor_epsilon_per_year = 3\n");
  Write(folder_ / "ca.pem", authority_.root_pem());
  ASSERT_TRUE(SaveTlsBundle(folder_ / "state/identity/identity.pem", identity_).ok());
  const std::string out = folder_ / "leeds-01.export";
  const Ran made = RunAisle({"ledger", "export", "--data", folder_ / "state", "--out", out});
  ASSERT_EQ(made.code, 0) << made.error;
  const Ran checked = RunAisle({"ledger", "verify", out, "--ca", folder_ / "ca.pem", "--json"});
  ASSERT_EQ(checked.code, 0) << checked.error;
  const OrderedJson json = OrderedJson::parse(checked.out, nullptr, false);
  EXPECT_EQ(json["issuer_checked"], true);
  EXPECT_EQ(json["entries"], 3);
  const Ran text = RunAisle({"ledger", "verify", out});
  EXPECT_NE(text.out.find("NOT CHECKED"), std::string::npos) << text.out;
  EXPECT_EQ(RunAisle({"ledger", "export", "--data", folder_ / "state", "--out", out}).code, 4) << "never overwritten";
  const Ran shown = RunAisle({"ledger", "show", "--data", folder_ / "state"});
  EXPECT_NE(shown.out.find("floor 3, aggregate 10"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("home-store rule"), std::string::npos) << shown.out;
  std::string edited = ReadAll(out);
  edited[edited.find("\"releases\": ") + 12] = '9';
  Write(folder_ / "edited.export", edited);
  EXPECT_NE(RunAisle({"ledger", "verify", folder_ / "edited.export"}).code, 0);
}

}  // namespace
}  // namespace aisle::cli
