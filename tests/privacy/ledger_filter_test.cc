#include "privacy/ledger_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "privacy/ledger.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kDelta = 1e-6;
const Population kCustomers = Population::Parse("customers").value();

double EpsilonOfRepeats(double q, double z, double times) {
  return EpsilonOf(RdpCurve::SampledGaussian(q, z).value() * times, kDelta).epsilon;
}

Spending SpendingAfter(const Debit& debit) {
  auto [ledger, file] = OpenLedger();
  EXPECT_TRUE(Spend(ledger, file, debit).ok());
  return ledger.SpendingOf(debit.population, kDelta);
}

// Books at a time of its own, unlike Spend of the fixture.
Status SpendAt(Ledger& ledger, const Debit& debit, const SpendingCaps& caps, absl::Time at) {
  AISLE_ASSIGN_OR_RETURN(PendingDebit pending, ledger.Prepare(debit, caps, at));
  return ledger.Commit(std::move(pending)).status();
}

TEST(LedgerAccountTest, ACustomersDebitCostsASampledGaussian) {
  const Spending spending = SpendingAfter(MakeCustomerDebit(0.01, 1));
  EXPECT_NEAR(spending.floor_epsilon, EpsilonOfRepeats(0.01, 1, 1), 1e-12);
  EXPECT_LT(spending.floor_epsilon, SpendingAfter(MakeCustomerDebit(1, 1)).floor_epsilon / 4);
}

TEST(LedgerAccountTest, NoisyStepsAreReleases) {
  Debit steps = MakeCustomerDebit(0.02, 1.5);
  steps.releases = 400;
  EXPECT_NEAR(SpendingAfter(steps).floor_epsilon, EpsilonOfRepeats(0.02, 1.5, 400), 1e-9);
}

TEST(LedgerAccountTest, TheNoiseOfAllStoresInASumCountsForTheAggregate) {
  Debit debit = MakeCustomerDebit(0.05, 0.8);
  EXPECT_EQ(SpendingAfter(debit).aggregate_epsilon, SpendingAfter(debit).floor_epsilon) << "one store's vector is seen";
  debit.sum_stores = 25;
  EXPECT_NEAR(SpendingAfter(debit).aggregate_epsilon, EpsilonOfRepeats(0.05, 0.8 * 5, 1), 1e-12);
  EXPECT_NEAR(SpendingAfter(debit).floor_epsilon, EpsilonOfRepeats(0.05, 0.8, 1), 1e-12);
}

Debit PresentIn(uint32_t stores, uint32_t sum_stores, double q) {
  Debit debit = MakeCustomerDebit(q, 2);
  debit.presence = Presence::kStoresMax;
  debit.stores_max = stores;
  debit.sum_stores = sum_stores;
  return debit;
}

TEST(LedgerAccountTest, ACustomerOfSeveralStoresPaysInEachOfThem) {
  EXPECT_NEAR(SpendingAfter(PresentIn(3, 1, 0.1)).floor_epsilon, EpsilonOfRepeats(0.1, 2, 3), 1e-12);
  // Unsampled, three vectors in one sum are one of three times the length: z is divided by 3.
  EXPECT_NEAR(SpendingAfter(PresentIn(3, 100, 1)).aggregate_epsilon, EpsilonOfRepeats(1, 2 * 10 / 3.0, 1), 1e-9);
}

TEST(LedgerAccountTest, TheAggregateIsNeverWorseThanTheFloor) {
  for (const uint32_t sum_stores : {1U, 2U, 3U, 4U, 100U}) {
    const Spending spending = SpendingAfter(PresentIn(3, sum_stores, 0.2));
    EXPECT_LE(spending.aggregate_epsilon, spending.floor_epsilon) << sum_stores;
    if (sum_stores <= 3) {
      EXPECT_EQ(spending.aggregate_epsilon, spending.floor_epsilon) << sum_stores;
    }
  }
}

// The bound for k-fold presence, against the mechanism itself: one of k stores' vectors each, drawn with probability q
// independently, in a sum with noise of std z sqrt(n). Whole orders, by enumeration of the mixture's moments.
TEST(LedgerAccountTest, KFoldPresenceBoundsTheMixtureOfSampledVectors) {
  const double q = 0.3;
  const double sigma = 2 * std::sqrt(12.0);
  for (const int k : {2, 3}) {
    const RdpCurve bound = CurveOf(ChargeOf(PresentIn(static_cast<uint32_t>(k), 12, q), Tier::kAggregate));
    for (size_t i = 0; i < RdpOrders().size(); ++i) {
      const double alpha = RdpOrders()[i];
      if (alpha > 10 || alpha < 1.5) continue;
      double moment = 0;  // Of the density ratio under the noise alone, by the trapezoidal rule.
      const double step = sigma / 200;
      for (double x = -12 * sigma; x < 12 * sigma + alpha * k; x += step) {
        double ratio = 0;
        for (int drawn = 0; drawn <= k; ++drawn) {
          const double ways = std::tgamma(k + 1) / (std::tgamma(drawn + 1) * std::tgamma(k - drawn + 1));
          ratio += ways * std::pow(q, drawn) * std::pow(1 - q, k - drawn) *
                   std::exp((2 * drawn * x - drawn * drawn) / (2 * sigma * sigma));
        }
        moment += std::pow(ratio, alpha) * std::exp(-x * x / (2 * sigma * sigma)) * step;
      }
      moment /= sigma * std::sqrt(2 * M_PI);
      EXPECT_LE(std::log(moment) / (alpha - 1), bound.values()[i] + 1e-9) << "k " << k << ", order " << alpha;
    }
  }
}

TEST(LedgerFilterTest, AYearLaterTheBudgetIsBack) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps caps{.floor_per_year = 5, .delta = kDelta};
  while (SpendAt(ledger, MakeCustomerDebit(1, 2), caps, TestTime(10)).ok()) continue;
  const size_t spent = ledger.entries().size();
  ASSERT_GT(spent, 1U);
  const absl::Time year_later = TestTime(10) + kSpendingYear;
  EXPECT_EQ(ledger.Evaluate(MakeCustomerDebit(1, 2), caps, year_later - absl::Seconds(1)).status().code(),
            StatusCode::kResourceExhausted);
  while (SpendAt(ledger, MakeCustomerDebit(1, 2), caps, year_later).ok()) continue;
  EXPECT_EQ(ledger.entries().size(), 2 * spent);
}

TEST(LedgerFilterTest, ForEverIsForEver) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps caps{.floor_per_year = 5, .floor_ever = 6, .delta = kDelta};
  absl::Time at = TestTime(10);
  for (int year = 0; year < 10; ++year, at += kSpendingYear) {
    while (SpendAt(ledger, MakeCustomerDebit(1, 2), caps, at).ok()) continue;
  }
  EXPECT_LE(ledger.SpendingOf(kCustomers, kDelta).floor_epsilon, 6);
  EXPECT_THAT(std::string(MessageOf(ledger.Evaluate(MakeCustomerDebit(1, 2), caps, at).status())),
              AllOf(HasSubstr("since the ledger was opened"), HasSubstr("cap of 6")));
}

TEST(LedgerFilterTest, AClockSetBackFreesNothing) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps caps{.floor_per_year = 5, .delta = kDelta};
  const absl::Time now = TestTime(0) + 2 * kSpendingYear;
  while (SpendAt(ledger, MakeCustomerDebit(1, 2), caps, now).ok()) continue;
  // However far back: what was spent "later" counts as well.
  for (const absl::Duration back : {absl::Seconds(1), kSpendingYear, 3 * kSpendingYear}) {
    EXPECT_EQ(SpendAt(ledger, MakeCustomerDebit(1, 2), caps, now - back).code(), StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(SpendAt(ledger, MakeCustomerDebit(1, 2), caps, absl::InfinitePast()).code(),
            StatusCode::kResourceExhausted);
}

TEST(LedgerFilterTest, EachTierHasACapOfItsOwn) {
  auto [ledger, file] = OpenLedger();
  Debit debit = MakeCustomerDebit(1, 1);
  debit.sum_stores = 100;
  const double aggregate = SpendingAfter(debit).aggregate_epsilon;
  const auto asked = [&ledger = ledger, &debit](const SpendingCaps& caps) {
    return ledger.Evaluate(debit, caps, TestTime(1));
  };
  EXPECT_TRUE(asked({.aggregate_per_year = aggregate * 1.2, .delta = kDelta}).ok());
  const auto refused = asked({.aggregate_per_year = aggregate * 0.8, .delta = kDelta});
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(MessageOf(refused.status())), HasSubstr("aggregate epsilon"));
  EXPECT_FALSE(asked({.floor_per_year = 1, .aggregate_per_year = aggregate * 1.2, .delta = kDelta}).ok());
}

TEST(LedgerFilterTest, ARefusalNamesPopulationTierSpentAskedAndCap) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps caps{.floor_per_year = 4, .delta = kDelta};
  ASSERT_TRUE(SpendAt(ledger, MakeCustomerDebit(1, 2), caps, TestTime(1)).ok());
  const Status refused = ledger.Evaluate(MakeCustomerDebit(1, 1), caps, TestTime(2)).status();
  EXPECT_THAT(std::string(MessageOf(refused)),
              AllOf(HasSubstr("population customers has spent floor epsilon 2."), HasSubstr("within 365 days"),
                    HasSubstr("2028-01-15"), HasSubstr("this would make it 5."), HasSubstr("cap of 4 at delta 1e-06")));
}

TEST(LedgerFilterTest, TheUnitsOfOnePopulationAddUp) {
  // A plan that protects the whole store protects its customers, and costs them as one release without sampling.
  auto [ledger, file] = OpenLedger();
  Debit whole_store = MakeDebit(3, 1, "customers");
  ASSERT_TRUE(Spend(ledger, file, whole_store).ok());
  ASSERT_TRUE(Spend(ledger, file, MakeCustomerDebit(0.1, 1, 2)).ok());
  RdpCurve both = RdpCurve::Gaussian(3).value();
  both += RdpCurve::SampledGaussian(0.1, 1).value();
  EXPECT_NEAR(ledger.SpendingOf(kCustomers, kDelta).floor_epsilon, EpsilonOf(both, kDelta).epsilon, 1e-12);
}

Debit DrawDebit(uint32_t round) {
  Debit debit = MakeCustomerDebit(*rc::gen::element(0.1, 1.0, 1.0), *rc::gen::element(0.8, 1.5, 5.0), round);
  debit.releases = *rc::gen::inRange<uint32_t>(1, 6);
  debit.sum_stores = *rc::gen::element(1U, 100U);
  if (*rc::gen::arbitrary<bool>()) {
    debit.presence = Presence::kStoresMax;
    debit.stores_max = *rc::gen::inRange<uint32_t>(1, 3);
  }
  return debit;
}

// What the ledger claims, computed anew from its entries: no 365 days, wherever they begin, are over a year's cap.
void CheckEveryWindow(const Ledger& ledger, const SpendingCaps& caps) {
  for (const Tier tier : {Tier::kFloor, Tier::kAggregate}) {
    std::vector<RdpCurve> costs;
    for (const LedgerEntry& entry : ledger.entries()) costs.push_back(CurveOf(ChargeOf(entry.debit, tier)));
    const double cap = tier == Tier::kFloor ? caps.floor_per_year : caps.aggregate_per_year;
    for (const LedgerEntry& begin : ledger.entries()) {
      RdpCurve total;
      for (size_t i = 0; i < costs.size(); ++i) {
        const absl::Time at = ledger.entries()[i].at;
        if (at >= begin.at && at < begin.at + kSpendingYear) total += costs[i];
      }
      RC_ASSERT(EpsilonOf(total, caps.delta).epsilon <= cap + 1e-9);
    }
  }
}

RC_GTEST_PROP(LedgerFilterProperty, NoYearPassesItsCaps, ()) {
  auto [ledger, file] = OpenLedger();
  const SpendingCaps caps{.floor_per_year = *rc::gen::inRange(10, 200) * 0.1,
                          .aggregate_per_year = *rc::gen::inRange(5, 100) * 0.1,
                          .delta = kDelta};
  absl::Time clock = TestTime(0);
  for (uint32_t round = 1; round <= 20; ++round) {
    clock += absl::Hours(24) * *rc::gen::inRange(-100, 200);  // Now and then it is set back.
    const Status spent = SpendAt(ledger, DrawDebit(round), caps, clock);
    RC_ASSERT(spent.ok() || spent.code() == StatusCode::kResourceExhausted);
  }
  CheckEveryWindow(ledger, caps);
}

}  // namespace
}  // namespace aisle
