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

TEST(PriceTest, RefusesNumbersOutOfRange) {
  const PriceQuery good{.noise_multiplier = 1, .rounds = 1, .delta = 1e-6, .stores = 1};
  EXPECT_TRUE(PriceOf(good).ok());
  for (auto change : {+[](PriceQuery& q) { q.noise_multiplier = 0; }, +[](PriceQuery& q) { q.rounds = 0; },
                      +[](PriceQuery& q) { q.delta = 1; }, +[](PriceQuery& q) { q.stores = 0; }}) {
    PriceQuery query = good;
    change(query);
    EXPECT_EQ(PriceOf(query).status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace aisle
