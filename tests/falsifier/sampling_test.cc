// Attacks on mode customer's round: sampling, sum and noise together, against each accountant that prices it. False
// alarms: kFalseAlarms for each verdict.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/falsifier/claims.h"
#include "tests/falsifier/customers.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

// The others pull in all directions; the target is as long as the clip allows, and then some.
Neighbours Store(double q, double z) {
  Neighbours store{.grid = MakeGrid(3), .others = {}, .target = {}, .q = q, .z = z};
  store.target = Axis(store.grid, 0, 1e6);
  for (const double norm : {0.01, 0.7, 2.0}) store.others.push_back(Axis(store.grid, 1, norm));
  store.others.push_back(Axis(store.grid, 2, -1));
  store.others.emplace_back(3);  // A customer whose vector is zero.
  return store;
}

struct Round {
  double q;
  double z;
  size_t runs;
};
class RoundTest : public ::testing::TestWithParam<Round> {};

TEST_P(RoundTest, HoldsWhatEveryAccountantClaims) {
  const auto [q, z, count] = GetParam();
  const Runs runs = Store(q, z).Steps(count, 1);
  EXPECT_LE(ExcessShown(runs, BookedClaim(MakeCustomerDebit(q, z), Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, LossClaim(q, z, 1), kFalseAlarms), 0);
}

TEST_P(RoundTest, WithHalfTheNoiseOrTwiceTheRateItIsRefuted) {
  const auto [q, z, count] = GetParam();
  const Claim claim = LossClaim(q, z, 1);
  EXPECT_GT(ExcessShown(Store(q, z / 2).Steps(count, 2), claim, kFalseAlarms), 0);
  if (q > 0.5) return;
  EXPECT_GT(ExcessShown(Store(2 * q, z).Steps(count, 3), claim, kFalseAlarms), 0);
}

INSTANTIATE_TEST_SUITE_P(, RoundTest,
                         ::testing::Values(Round{0.05, 0.4, 20'000}, Round{0.1, 0.7, 30'000}, Round{0.5, 1, 20'000},
                                           Round{1, 2, 10'000}),
                         [](const auto& test) {
                           return "Q" + std::to_string(static_cast<int>(100 * test.param.q)) + "Z" +
                                  std::to_string(static_cast<int>(10 * test.param.z));
                         });

// How much a customer who is in each step with probability q moves the odds; summed, the best attack on several steps.
double LogOdds(double value, double q, double z) { return std::log1p(q * std::expm1((2 * value - 1) / (2 * z * z))); }

TEST(RoundsTest, ManyHoldWhatTheirComposedDebitsBook) {
  constexpr int kRounds = 8;
  const Neighbours store = Store(0.25, 0.8);
  AesCtrStream coins = Stream(4, "coins");
  AesCtrStream noise = Stream(4, "noise");
  const Runs runs = RunBoth(8'000, [&](bool with) {
    double odds = 0;
    for (int round = 0; round < kRounds; ++round) odds += LogOdds(store.Step(with, coins, noise), store.q, store.z);
    return odds;
  });
  Debit debit = MakeCustomerDebit(store.q, store.z);
  debit.releases = kRounds;
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, LossClaim(store.q, store.z, kRounds), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(runs, LossClaim(store.q, store.z, 1), kFalseAlarms), 0);  // Paying once isn't enough.
}

// Four stores' noise in one sum, one of which may hold the customer.
TEST(RoundsTest, TheSumOfStoresHoldsTheAggregateTier) {
  Debit debit = MakeCustomerDebit(0.5, 0.6);
  debit.sum_stores = 4;
  const Neighbours store = Store(0.5, 0.6);
  AesCtrStream coins = Stream(5, "coins");
  AesCtrStream noise = Stream(5, "noise");
  const Runs runs = RunBoth(8'000, [&](bool with) {
    double sum = 0;
    for (uint32_t i = 0; i < debit.sum_stores; ++i) sum += store.Step(with && i == 0, coins, noise);
    return sum;
  });
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kAggregate), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, LossClaim(0.5, 1.2, 1), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(runs, LossClaim(0.5, 4.8, 1), kFalseAlarms), 0);
}

// A customer of three stores, in sums of four: presence stores_max prices all three vectors.
TEST(RoundsTest, ACustomerOfSeveralStoresHoldsTheCapOnStores) {
  Debit debit = MakeCustomerDebit(0.5, 1);
  debit.presence = Presence::kStoresMax;
  debit.stores_max = 3;
  debit.sum_stores = 4;
  const Neighbours store = Store(0.5, 1);
  AesCtrStream coins = Stream(6, "coins");
  AesCtrStream noise = Stream(6, "noise");
  const Runs floor = RunBoth(8'000, [&](bool with) {
    double odds = 0;
    for (uint32_t i = 0; i < debit.stores_max; ++i) odds += LogOdds(store.Step(with, coins, noise), 0.5, 1);
    return odds;
  });
  const Runs aggregate = RunBoth(8'000, [&](bool with) {
    double sum = 0;
    for (uint32_t i = 0; i < debit.sum_stores; ++i) sum += store.Step(with && i < debit.stores_max, coins, noise);
    return sum;
  });
  EXPECT_LE(ExcessShown(floor, BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(aggregate, BookedClaim(debit, Tier::kAggregate), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(floor, LossClaim(0.5, 1, 1), kFalseAlarms), 0);  // As if there were no other store: refuted.
}

}  // namespace
}  // namespace aisle
