#include "privacy/accounting/price.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace aisle {
namespace {

TEST(PriceTest, OneRoundOfOneStoreIsOneGaussian) {
  const auto price = PriceOf({.noise_multiplier = 1, .rounds = 1, .delta = 1e-5, .stores = 1});
  ASSERT_TRUE(price.ok());
  EXPECT_NEAR(price->floor_epsilon, 4.377178095681133, 1e-8);
  EXPECT_EQ(price->aggregate_epsilon, price->floor_epsilon);
  EXPECT_NEAR(price->ledger_epsilon, 4.728507067217623, 1e-9);
}

TEST(PriceTest, FourTimesTheStoresOrAQuarterOfTheRoundsIsTwiceTheNoise) {
  const double z2 = PriceOf({.noise_multiplier = 2, .rounds = 10, .delta = 1e-6, .stores = 1})->floor_epsilon;
  EXPECT_NEAR(PriceOf({.noise_multiplier = 1, .rounds = 10, .delta = 1e-6, .stores = 4})->aggregate_epsilon, z2, 1e-8);
  EXPECT_NEAR(PriceOf({.noise_multiplier = 4, .rounds = 40, .delta = 1e-6, .stores = 1})->floor_epsilon, z2, 1e-8);
}

RC_GTEST_PROP(PriceProperty, MoreStoresCostLessAndMoreRoundsMore, ()) {
  const PriceQuery query{.noise_multiplier = *rc::gen::inRange(5, 500) * 0.01,
                         .rounds = *rc::gen::inRange<uint32_t>(1, 200),
                         .delta = 1e-6,
                         .stores = *rc::gen::inRange<uint32_t>(1, 20000)};
  const Price price = PriceOf(query).value();
  RC_ASSERT(price.aggregate_epsilon <= price.floor_epsilon);
  RC_ASSERT(price.floor_epsilon <= price.ledger_epsilon);
  PriceQuery more_rounds = query;
  ++more_rounds.rounds;
  RC_ASSERT(PriceOf(more_rounds)->floor_epsilon > price.floor_epsilon);
  PriceQuery more_stores = query;
  more_stores.stores *= 10;
  RC_ASSERT(PriceOf(more_stores)->aggregate_epsilon < price.aggregate_epsilon);
}

constexpr PriceQuery kSampled{
    .noise_multiplier = 1.2, .rounds = 100, .delta = 1e-7, .stores = 50, .sampling_rate = 0.05};

TEST(PriceTest, SampledRoundsArePricedByLossDistributionsInBothTiers) {
  const Price price = PriceOf(kSampled).value();
  EXPECT_NEAR(price.floor_epsilon, 3.2524897784792746, 0.002);  // dp_accounting 0.6.0, connect-the-dots.
  EXPECT_NEAR(price.aggregate_epsilon, 0.2633343471688675, 0.002);
  EXPECT_LT(price.floor_epsilon, price.ledger_epsilon);
  EXPECT_LT(price.aggregate_epsilon, price.aggregate_ledger_epsilon);
  EXPECT_LT(price.ledger_epsilon, PriceOf({.noise_multiplier = 1.2, .rounds = 100, .delta = 1e-7})->ledger_epsilon);
}

TEST(PriceTest, EveryLocalStepIsARelease) {
  PriceQuery steps = kSampled;
  steps.rounds = 4;
  steps.steps = 25;
  EXPECT_EQ(PriceOf(steps)->floor_epsilon, PriceOf(kSampled)->floor_epsilon);
}

TEST(PriceTest, WithoutAnAggregateTierTheFloorIsTheWholeClaim) {
  PriceQuery local = kSampled;
  local.has_aggregate = false;
  const Price price = PriceOf(local).value();
  EXPECT_EQ(price.aggregate_epsilon, price.floor_epsilon);
  EXPECT_EQ(price.aggregate_ledger_epsilon, price.ledger_epsilon);
}

constexpr PrivacyContract kCustomers{.mode = PrivacyMode::kCustomer,
                                     .clip_norm = 0.5,
                                     .noise_multiplier = 2,
                                     .delta = 1e-7,
                                     .rounds_max = 60,
                                     .cohort_min = 5,
                                     .cohort_target = 40,
                                     .sampling_rate = 0.25,
                                     .customers_per_store = 1000};

TEST(PriceTest, AContractAsksWithItsOwnNumbers) {
  const PriceQuery query = PriceQueryOf(kCustomers, 30, 5);
  EXPECT_EQ(query.rounds, 30U);
  EXPECT_EQ(query.stores, 5U);
  EXPECT_EQ(query.sampling_rate, 0.25);
  EXPECT_TRUE(query.has_aggregate);
  PrivacyContract local = kCustomers;
  local.mode = PrivacyMode::kLocalSgd;
  local.steps = 20;
  EXPECT_EQ(PriceQueryOf(local, 30, 5).steps, 20U);
  EXPECT_FALSE(PriceQueryOf(local, 30, 5).has_aggregate);
}

TEST(PriceTest, NoiseOfTheMeanFallsWithCustomersAndStores) {
  // 16 stores' noise of std 2 * 0.5 each, over the quarter of their 16,000 customers that is planned to be drawn.
  EXPECT_DOUBLE_EQ(NoiseOfMean(kCustomers, 16), 4.0 / 4000);
  EXPECT_DOUBLE_EQ(NoiseOfMean(kCustomers, 64), 8.0 / 16000);
  PrivacyContract store = kCustomers;
  store.mode = PrivacyMode::kStore;
  EXPECT_DOUBLE_EQ(NoiseOfMean(store, 16), 4.0 / 16);
  PrivacyContract local = kCustomers;
  local.mode = PrivacyMode::kLocalSgd;
  EXPECT_DOUBLE_EQ(NoiseOfMean(local, 16), 1.0 / 250);
  EXPECT_EQ(NoiseOfMean({.mode = PrivacyMode::kNone, .noise_multiplier = 0}, 16), 0);
}

TEST(PriceTest, RefusesNumbersOutOfRange) {
  const PriceQuery good{.noise_multiplier = 1, .rounds = 1, .delta = 1e-6, .stores = 1};
  EXPECT_TRUE(PriceOf(good).ok());
  for (auto change :
       {+[](PriceQuery& q) { q.noise_multiplier = 0; }, +[](PriceQuery& q) { q.rounds = 0; },
        +[](PriceQuery& q) { q.delta = 1; }, +[](PriceQuery& q) { q.stores = 0; }, +[](PriceQuery& q) { q.steps = 0; },
        +[](PriceQuery& q) { q.sampling_rate = 0; }, +[](PriceQuery& q) { q.sampling_rate = 1.1; }}) {
    PriceQuery query = good;
    change(query);
    EXPECT_EQ(PriceOf(query).status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace aisle
