#include "store-agent/ledger/ledger_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/cover.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const SpendingCaps kCap{.floor_per_year = 10, .delta = 1e-6};

StoreId Store(std::string_view name = "s1") { return StoreId::Parse(name).value(); }

Debit SomeDebit(uint32_t round, double z = 5) {
  return {.population = Population::Parse("store").value(),
          .round = {.job = JobId::Parse("demand").value(), .number = round},
          .plan = Sha256::Of("plan"),
          .unit = PrivacyUnit::kStore,
          .noise_multiplier = z,
          .delta = 1e-6};
}

class LedgerFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<LedgerFile> Open() { return LedgerFile::Open(folder(), Store(), kNow).value(); }
  Status Reopen() { return LedgerFile::Open(folder(), Store(), kNow).status(); }
  std::string folder() const { return temporary_.File("ledger"); }
  std::string path() const { return temporary_.File("ledger/ledger"); }

  TemporaryFolder temporary_;
};

TEST_F(LedgerFileTest, ADebitIsOnTheDiskWhenItIsSpent) {
  auto ledger = Open();
  for (uint32_t round = 1; round <= 5; ++round) {
    const StatusOr<DebitReceipt> receipt = ledger->Spend(SomeDebit(round), kCap, kNow);
    ASSERT_TRUE(receipt.ok()) << receipt.status();
    const Ledger::Loaded loaded = Ledger::Load(temporary_.Read("ledger/ledger")).value();
    EXPECT_EQ(loaded.ledger.entries().size(), round);
    EXPECT_EQ(loaded.ledger.entries().back().debit, SomeDebit(round));
    EXPECT_EQ(loaded.ledger.head(), ledger->head());
  }
  EXPECT_EQ(ledger->TimesSpentFor(SomeDebit(1).round.job, SomeDebit(1).plan), 5u);
  EXPECT_EQ(ledger->TimesSpentFor(SomeDebit(1).round.job, Sha256::Of("other")), 0u);
}

TEST_F(LedgerFileTest, SpendingGoesOnAfterARestart) {
  double before = 0;
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Spend(SomeDebit(1), kCap, kNow).ok());
    before = ledger->MostSpent(1e-6, kNow).floor_epsilon;
  }
  auto again = Open();
  EXPECT_EQ(again->MostSpent(1e-6, kNow).floor_epsilon, before);
  ASSERT_TRUE(again->Spend(SomeDebit(2), kCap, kNow).ok());
  EXPECT_GT(again->MostSpent(1e-6, kNow).floor_epsilon, before);
}

TEST_F(LedgerFileTest, OverTheCapNothingIsWritten) {
  auto ledger = Open();
  uint32_t round = 0;
  while (ledger->Spend(SomeDebit(++round, 1), kCap, kNow).ok()) {
  }
  const std::string before = temporary_.Read("ledger/ledger");
  EXPECT_EQ(ledger->Spend(SomeDebit(round, 1), kCap, kNow).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(temporary_.Read("ledger/ledger"), before);
  EXPECT_LE(ledger->MostSpent(kCap.delta, kNow).floor_epsilon, kCap.floor_per_year);
}

TEST_F(LedgerFileTest, ATornLastRecordIsCutOff) {
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Spend(SomeDebit(1), kCap, kNow).ok());
  }
  const std::string whole = temporary_.Read("ledger/ledger");
  const uint64_t before = CoverageCount("ledger.torn_tail_cut");
  temporary_.Write("ledger/ledger", whole + whole.substr(whole.size() / 2, 20));
  auto ledger = LedgerFile::Open(folder(), Store(), kNow);
  if (!ledger.ok()) {  // Some traces look like a broken chain: then a person must look.
    EXPECT_EQ(ledger.status().code(), StatusCode::kDataLoss);
    return;
  }
  EXPECT_EQ(CoverageCount("ledger.torn_tail_cut"), before + 1);
  EXPECT_EQ(temporary_.Read("ledger/ledger"), whole);
  ASSERT_TRUE((*ledger)->Spend(SomeDebit(2), kCap, kNow).ok());
  EXPECT_TRUE(Reopen().ok());
}

TEST_F(LedgerFileTest, ARecordCutAtAnyByteIsEitherTornOrRefused) {
  std::string one;
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Spend(SomeDebit(1), kCap, kNow).ok());
    one = temporary_.Read("ledger/ledger");
    ASSERT_TRUE(ledger->Spend(SomeDebit(2), kCap, kNow).ok());
  }
  const std::string two = temporary_.Read("ledger/ledger");
  const std::string head = temporary_.Read("ledger/head");
  for (size_t size = one.size(); size < two.size(); ++size) {
    temporary_.Write("ledger/ledger", two.substr(0, size));
    // The head knows of the second debit: a file without it was cut.
    EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss) << size;
    EXPECT_EQ(temporary_.Read("ledger/head"), head);
  }
}

TEST_F(LedgerFileTest, AnEditedOrRolledBackFileIsRefused) {
  std::string old;
  {
    auto ledger = Open();
    ASSERT_TRUE(ledger->Spend(SomeDebit(1), kCap, kNow).ok());
    old = temporary_.Read("ledger/ledger");
    ASSERT_TRUE(ledger->Spend(SomeDebit(2), kCap, kNow).ok());
    ASSERT_TRUE(ledger->Spend(SomeDebit(3), kCap, kNow).ok());
  }
  const std::string whole = temporary_.Read("ledger/ledger");
  std::string edited = whole;
  edited[old.size() - 40] = static_cast<char>(edited[old.size() - 40] ^ 1);
  temporary_.Write("ledger/ledger", edited);
  EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss);
  temporary_.Write("ledger/ledger", old);
  EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss);
  std::filesystem::remove(path());
  EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss) << "a ledger that is gone isn't begun anew";
  temporary_.Write("ledger/ledger", whole);
  EXPECT_TRUE(Reopen().ok());
  temporary_.Write("ledger/head", "rubbish");
  EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss);
}

TEST_F(LedgerFileTest, ADebitPerPopulationIsSpentOrNoneIs) {
  auto ledger = Open();
  Debit customers = SomeDebit(1, 2);
  customers.population = Population::Parse("customers").value();
  const std::vector<Debit> both = {customers, SomeDebit(1, 2)};
  const StatusOr<DebitReceipt> receipt = ledger->Spend(both, kCap, kNow);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->debit(), customers);
  EXPECT_EQ(ledger->head().entries, 2u);
  EXPECT_EQ(ledger->TimesSpentFor(customers.round.job, customers.plan), 1u) << "one release, however many it concerns";
  while (ledger->Spend(SomeDebit(2, 2), kCap, kNow).ok()) continue;  // The second of the two has nothing left.
  const LedgerHead before = ledger->head();
  EXPECT_EQ(ledger->Evaluate(both, kCap, kNow).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ledger->Spend(both, kCap, kNow).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ledger->head(), before) << "the first is not spent in vain";
  EXPECT_TRUE(ledger->Spend(customers, kCap, kNow).ok());
}

TEST_F(LedgerFileTest, MoreRoundsThanTheBudgetAllowsAreRefusedOneByOne) {
  auto ledger = Open();
  uint32_t granted = 0;
  for (uint32_t round = 1; round <= 100; ++round) granted += ledger->Spend(SomeDebit(round, 2), kCap, kNow).ok();
  EXPECT_GT(granted, 1u);
  EXPECT_LT(granted, 100u);
  EXPECT_EQ(ledger->head().entries, granted);
  EXPECT_LE(ledger->MostSpent(kCap.delta, kNow).floor_epsilon, kCap.floor_per_year);
}

// What headquarters knows, against what lies on the store's disk: a copy of the whole folder put back at some time.
class RollbackTest : public LedgerFileTest {
 protected:
  struct Copy {
    std::string ledger, head;
    LedgerHead at;
  };
  Copy Save(const LedgerFile& ledger) const {
    return {temporary_.Read("ledger/ledger"), temporary_.Read("ledger/head"), ledger.head()};
  }
  void PutBack(const Copy& copy) {
    temporary_.Write("ledger/ledger", copy.ledger);
    temporary_.Write("ledger/head", copy.head);
  }
  static void ExpectHalted(LedgerFile& ledger, std::string_view why) {
    ASSERT_TRUE(ledger.halted().has_value());
    EXPECT_NE(ledger.halted()->find(why), std::string::npos) << *ledger.halted();
    EXPECT_TRUE(ledger.claim().halted);
    const LedgerHead before = ledger.head();
    EXPECT_EQ(ledger.Evaluate(SomeDebit(9), kCap, kNow).code(), StatusCode::kDataLoss);
    EXPECT_EQ(ledger.Spend(SomeDebit(9), kCap, kNow).status().code(), StatusCode::kDataLoss);
    EXPECT_EQ(ledger.head(), before);
  }
  Copy Spent(LedgerFile& ledger, uint32_t round) const {
    EXPECT_TRUE(ledger.Spend(SomeDebit(round), kCap, kNow).ok());
    return Save(ledger);
  }
};

TEST_F(RollbackTest, AnOldCopyOfTheFolderIsNoticedAgainstHeadquarters) {
  Copy first, third;
  {
    auto ledger = Open();
    first = Spent(*ledger, 1);
    Spent(*ledger, 2);
    third = Spent(*ledger, 3);
  }
  PutBack(first);
  auto ledger = Open();  // By itself it is in perfect order.
  EXPECT_FALSE(ledger->halted());
  const uint64_t before = CoverageCount("ledger.halted_by_acknowledged_head");
  ledger->Compare(third.at);
  EXPECT_EQ(CoverageCount("ledger.halted_by_acknowledged_head"), before + 1);
  ExpectHalted(*ledger, "cut or rolled back");
}

TEST_F(RollbackTest, AFileCutAtARecordsEndIsNoticed) {
  Copy first, second;
  {
    auto ledger = Open();
    first = Spent(*ledger, 1);
    second = Spent(*ledger, 2);
  }
  temporary_.Write("ledger/ledger", second.ledger.substr(0, first.ledger.size()));
  EXPECT_EQ(Reopen().code(), StatusCode::kDataLoss) << "its own head tells";
  std::filesystem::remove(temporary_.File("ledger/head"));
  auto ledger = Open();
  ledger->Compare(second.at);
  ExpectHalted(*ledger, "cut or rolled back");
}

TEST_F(RollbackTest, ARewrittenLedgerIsNoticedEvenIfItIsLonger) {
  LedgerHead acknowledged;
  {
    auto ledger = Open();
    Spent(*ledger, 1);
    acknowledged = Spent(*ledger, 2).at;
  }
  std::filesystem::remove_all(folder());
  auto ledger = Open();
  for (uint32_t round = 11; round <= 14; ++round) Spent(*ledger, round);
  ledger->Compare(acknowledged);
  ExpectHalted(*ledger, "rewritten");
}

TEST_F(RollbackTest, ANewLedgerWhereThereWasOneIsNoticed) {
  LedgerHead acknowledged;
  {
    auto ledger = Open();
    acknowledged = Spent(*ledger, 1).at;
  }
  std::filesystem::remove_all(folder());
  auto ledger = Open();
  ledger->Compare(acknowledged);
  ExpectHalted(*ledger, "cut or rolled back");
}

TEST_F(RollbackTest, AHeadThatIsThereIsVerifiedAndStopsNothing) {
  auto ledger = Open();
  const LedgerHead opening = ledger->head();
  EXPECT_EQ(ledger->claim(), (LedgerClaim{.head = opening}));
  ledger->Compare(std::nullopt);
  ledger->Compare(opening);
  EXPECT_EQ(ledger->claim(), (LedgerClaim{.head = opening, .verified = opening}));
  const LedgerHead first = Spent(*ledger, 1).at;
  const LedgerHead second = Spent(*ledger, 2).at;
  ledger->Compare(first);  // Headquarters is behind, as it is between a debit and the next check-in.
  EXPECT_EQ(ledger->claim(), (LedgerClaim{.head = second, .verified = first}));
  EXPECT_TRUE(ledger->Spend(SomeDebit(3), kCap, kNow).ok());
}

TEST_F(RollbackTest, HeadquartersCanOnlyStopIt) {
  auto ledger = Open();
  while (ledger->Spend(SomeDebit(1, 1), kCap, kNow).ok()) continue;
  const LedgerHead spent = ledger->head();
  ledger->Compare(std::nullopt);  // "I know nothing of it" …
  EXPECT_EQ(ledger->Spend(SomeDebit(2, 1), kCap, kNow).status().code(), StatusCode::kResourceExhausted);
  ledger->Compare(LedgerHead{.entries = 1, .digest = Sha256::Of("a lie")});
  ExpectHalted(*ledger, "rewritten");
  ledger->Compare(spent);  // … and no second thoughts: a person must look.
  ExpectHalted(*ledger, "rewritten");
}

TEST_F(RollbackTest, ABrokenChainHaltsTheLedgerAndNotTheAgent) {
  {
    auto ledger = Open();
    Spent(*ledger, 1);
    Spent(*ledger, 2);
  }
  std::string edited = temporary_.Read("ledger/ledger");
  edited[100] = static_cast<char>(edited[100] ^ 1);
  temporary_.Write("ledger/ledger", edited);
  auto halted = LedgerFile::OpenOrHalt(folder(), Store(), kNow);
  ASSERT_TRUE(halted.ok()) << halted.status();
  ExpectHalted(**halted, "ledger/ledger");
  EXPECT_EQ(temporary_.Read("ledger/ledger"), edited) << "nothing of the evidence is touched";
}

TEST_F(LedgerFileTest, AnotherStoresLedgerIsRefused) {
  Open();
  EXPECT_EQ(LedgerFile::Open(folder(), Store("s2"), kNow).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(LedgerFileTest, OnlyItsOwnerMayReadIt) {
  Open();
  EXPECT_EQ(std::filesystem::status(path()).permissions() & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(LedgerFileTest, AFailedWriteSpendsNothingAndIsMended) {
  const SmallDisk disk("128k");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
  auto ledger = LedgerFile::Open(disk.folder().File("ledger"), Store(), kNow).value();
  ASSERT_TRUE(ledger->Spend(SomeDebit(1), kCap, kNow).ok());
  disk.Fill();
  Status failed;
  for (uint32_t round = 2; failed.ok() && round < 500; ++round) {
    failed = ledger->Spend(SomeDebit(round, 200), kCap, kNow).status();
  }
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.code(), StatusCode::kResourceExhausted) << "that would read as an empty budget";
  EXPECT_EQ(Ledger::Load(disk.folder().Read("ledger/ledger"))->ledger.head(), ledger->head())
      << "what is durable is spent, and nothing else";
  disk.Free();
  EXPECT_TRUE(ledger->Spend(SomeDebit(501, 200), kCap, kNow).ok());
  ledger.reset();
  EXPECT_TRUE(LedgerFile::Open(disk.folder().File("ledger"), Store(), kNow).ok()) << "the chain is whole";
}

}  // namespace
}  // namespace aisle
