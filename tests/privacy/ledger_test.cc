#include "privacy/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/cover.h"
#include "privacy/accounting/price.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Population kSales = Population::Parse("sales").value();

TEST(LedgerTest, OpensEmpty) {
  const Ledger::Opened opened = OpenLedger();
  EXPECT_EQ(opened.ledger.owner().str(), "store-1");
  EXPECT_EQ(opened.ledger.head().entries, 0U);
  EXPECT_EQ(opened.ledger.SpendingOf(kSales, 1e-6).floor_epsilon, 0.0);
  EXPECT_THAT(opened.ledger.populations(), ElementsAre());
}

TEST(LedgerTest, ShowsWhatThePriceForetold) {
  auto [ledger, file] = OpenLedger();
  for (uint32_t round = 1; round <= 30; ++round) ASSERT_TRUE(Spend(ledger, file, MakeDebit(0.8, round)).ok());
  const Spending spending = ledger.SpendingOf(kSales, 1e-6);
  EXPECT_NEAR(spending.floor_epsilon, PriceOf({.noise_multiplier = 0.8, .rounds = 30, .delta = 1e-6})->ledger_epsilon,
              1e-9);
  EXPECT_EQ(spending.releases, 30U);
  EXPECT_EQ(spending.unbounded_releases, 0U);
}

TEST(LedgerTest, AddsOverJobsAndKeepsPopulationsApart) {
  auto [ledger, file] = OpenLedger();
  Debit other_job = MakeDebit(1);
  other_job.round.job = JobId::Parse("statistics").value();
  ASSERT_TRUE(Spend(ledger, file, MakeDebit(1)).ok());
  const double once = ledger.SpendingOf(kSales, 1e-6).floor_epsilon;
  ASSERT_TRUE(Spend(ledger, file, MakeDebit(1, 2, "visits")).ok());
  EXPECT_EQ(ledger.SpendingOf(kSales, 1e-6).floor_epsilon, once);
  ASSERT_TRUE(Spend(ledger, file, other_job).ok());
  EXPECT_GT(ledger.SpendingOf(kSales, 1e-6).floor_epsilon, once);
  EXPECT_THAT(ledger.populations(), ElementsAre(kSales, Population::Parse("visits").value()));
}

TEST(LedgerTest, SeveralReleasesUnderOneDebitCostAsSeveralDebits) {
  auto [together, file] = OpenLedger();
  Debit three = MakeDebit(1);
  three.releases = 3;
  ASSERT_TRUE(Spend(together, file, three).ok());
  auto [apart, other_file] = OpenLedger();
  for (uint32_t round = 1; round <= 3; ++round) ASSERT_TRUE(Spend(apart, other_file, MakeDebit(1, round)).ok());
  EXPECT_NEAR(together.SpendingOf(kSales, 1e-6).floor_epsilon, apart.SpendingOf(kSales, 1e-6).floor_epsilon, 1e-12);
}

TEST(LedgerTest, RefusesToPassTheCapAndSaysByHowMuch) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps cap{.floor_per_year = 10, .delta = 1e-6};
  const uint64_t refused_before = CoverageCount("ledger.refused_over_cap");
  uint32_t round = 1;
  while (Spend(ledger, file, MakeDebit(1, round), cap).ok()) ++round;
  const Spending spent = ledger.SpendingOf(kSales, cap.delta);
  EXPECT_LE(spent.floor_epsilon, cap.floor_per_year);
  EXPECT_GT(PriceOf({.noise_multiplier = 1, .rounds = round, .delta = 1e-6})->ledger_epsilon, cap.floor_per_year);
  EXPECT_EQ(spent.releases, round - 1);
  const auto refusal = ledger.Evaluate(MakeDebit(1, round), cap, TestTime(round));
  EXPECT_EQ(refusal.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(MessageOf(refusal.status())), HasSubstr("over the site's cap of 10"));
  EXPECT_GT(CoverageCount("ledger.refused_over_cap"), refused_before);
  EXPECT_EQ(ledger.head().entries, round - 1);
  EXPECT_TRUE(ledger.Evaluate(MakeDebit(1, round, "visits"), cap, TestTime(round)).ok());
  EXPECT_TRUE(ledger.Evaluate(MakeDebit(100, round), cap, TestTime(round)).ok()) << "a smaller release still fits";
}

RC_GTEST_PROP(LedgerProperty, NeverPassesTheCapHoweverTheNoiseIsChosen, ()) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps cap{.floor_per_year = *rc::gen::inRange(1, 400) * 0.1,
                         .delta = std::pow(10, -*rc::gen::inRange(2, 10))};
  for (uint32_t round = 1; round <= 20; ++round) {
    Debit debit = MakeDebit(*rc::gen::inRange(20, 1000) * 0.01, round);
    debit.releases = *rc::gen::inRange<uint32_t>(1, 5);
    const auto foreseen = ledger.Evaluate(debit, cap, TestTime(round));
    const auto receipt = Spend(ledger, file, debit, cap);
    RC_ASSERT(foreseen.ok() == receipt.ok());
    const double epsilon = ledger.SpendingOf(kSales, cap.delta).floor_epsilon;
    RC_ASSERT(epsilon <= cap.floor_per_year + 1e-9);
    if (receipt.ok()) RC_ASSERT(std::fabs(foreseen->floor_year - epsilon) < 1e-12);
  }
  const auto loaded = Ledger::Load(file, ledger.head());
  RC_ASSERT(loaded.ok());
  RC_ASSERT(loaded->ledger.SpendingOf(kSales, cap.delta).floor_epsilon ==
            ledger.SpendingOf(kSales, cap.delta).floor_epsilon);
}

TEST(LedgerTest, ACapOfZeroAllowsNothing) {
  const Ledger ledger = OpenLedger().ledger;
  EXPECT_EQ(ledger.Evaluate(MakeDebit(256), {.floor_per_year = 0, .delta = 1e-6}, TestTime(1)).status().code(),
            StatusCode::kResourceExhausted);
}

TEST(LedgerTest, RefusesCapsThatAreNoCaps) {
  const Ledger ledger = OpenLedger().ledger;
  const auto with = [](auto change) {
    SpendingCaps caps;
    change(caps);
    return caps;
  };
  for (const SpendingCaps& caps :
       {with([](auto& c) { c.floor_per_year = -1; }), with([](auto& c) { c.floor_per_year = std::nan(""); }),
        with([](auto& c) { c.aggregate_per_year = -1; }), with([](auto& c) { c.floor_ever = std::nan(""); }),
        with([](auto& c) { c.delta = 0; }), with([](auto& c) { c.delta = 1; }),
        with([](auto& c) { c.delta = std::nan(""); })}) {
    EXPECT_EQ(ledger.Evaluate(MakeDebit(), caps, TestTime(1)).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(ledger.Evaluate(MakeDebit(), SpendingCaps(), TestTime(1)).ok());
}

TEST(LedgerTest, ReleasesWithoutABoundAreWrittenDownAsSuch) {
  auto [ledger, file] = OpenLedger();
  EXPECT_EQ(ledger.Evaluate(MakeUnboundedDebit(), kWideCap, TestTime(1))->floor_year, INFINITY);
  ASSERT_TRUE(Spend(ledger, file, MakeUnboundedDebit(1)).ok());
  ASSERT_TRUE(Spend(ledger, file, MakeDebit(1, 2)).ok());
  const Spending spending = Ledger::Load(file)->ledger.SpendingOf(kSales, 1e-6);
  EXPECT_EQ(spending.unbounded_releases, 1U);
  EXPECT_EQ(spending.releases, 1U);
  EXPECT_TRUE(std::isfinite(spending.floor_epsilon));
}

TEST(LedgerTest, TimeNeverRunsBackwards) {
  auto [ledger, file] = OpenLedger();
  ASSERT_TRUE(Spend(ledger, file, MakeDebit(1, 100)).ok());
  ASSERT_TRUE(Spend(ledger, file, MakeDebit(1, 50)).ok());
  EXPECT_EQ(ledger.entries()[1].at, ledger.entries()[0].at);
}

TEST(LedgerTest, AStalePendingDebitIsRefused) {
  auto [ledger, file] = OpenLedger();
  auto first = ledger.Prepare(MakeDebit(1, 1), kWideCap, TestTime(1));
  auto second = ledger.Prepare(MakeDebit(1, 2), kWideCap, TestTime(1));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(ledger.head().entries, 0U) << "preparing leaves no trace";
  ASSERT_TRUE(ledger.Commit(*std::move(first)).ok());
  EXPECT_EQ(ledger.Commit(*std::move(second)).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ledger.head().entries, 1U);
}

TEST(LedgerTest, APendingDebitIsGoodOnce) {
  auto [ledger, file] = OpenLedger();
  auto pending = ledger.Prepare(MakeDebit(), kWideCap, TestTime(1));
  ASSERT_TRUE(pending.ok());
  ASSERT_TRUE(ledger.Commit(*std::move(pending)).ok());
  EXPECT_EQ(ledger.Commit(*std::move(pending)).status().code(), StatusCode::kFailedPrecondition);
}

TEST(LedgerTest, AnotherStoresPendingDebitIsRefused) {
  auto [ledger, file] = OpenLedger();
  auto [foreign, foreign_file] = OpenLedger("store-2");
  auto pending = foreign.Prepare(MakeDebit(), kWideCap, TestTime(1));
  ASSERT_TRUE(pending.ok());
  EXPECT_EQ(ledger.Commit(*std::move(pending)).status().code(), StatusCode::kFailedPrecondition);
}

TEST(DebitReceiptTest, IsSpentByMoving) {
  DebitReceipt receipt = ReceiptFor(MakeDebit(2, 7));
  EXPECT_EQ(receipt.debit(), MakeDebit(2, 7));
  EXPECT_EQ(receipt.entry(), 1U);
  EXPECT_FALSE(receipt.spent());
  const DebitReceipt taken = std::move(receipt);
  EXPECT_TRUE(receipt.spent());
  EXPECT_FALSE(taken.spent());
  static_assert(!std::is_copy_constructible_v<DebitReceipt> && !std::is_default_constructible_v<DebitReceipt>);
  static_assert(!std::is_constructible_v<DebitReceipt, Debit, uint64_t>);
}

}  // namespace
}  // namespace aisle
