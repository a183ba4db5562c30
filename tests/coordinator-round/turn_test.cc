#include "coordinator/round/turn.h"

#include <gtest/gtest.h>

namespace aisle::test {
namespace {

TEST(TurnTest, IsEverybodysWhileNoMoreMayComeThanAreWanted) {
  EXPECT_EQ(TurnOf({}, 3), Turn{});
  EXPECT_EQ(TurnOf({5, 0, 9}, 3), Turn{});
}

TEST(TurnTest, IsTheirsWhoJoinedTheFewestRounds) {
  EXPECT_EQ(TurnOf({5, 0, 9, 5}, 3), (Turn{.joined_max = 5, .first = 1}));
  EXPECT_EQ(TurnOf({5, 0, 9, 6}, 3), (Turn{.joined_max = 6, .first = 2}));
  EXPECT_EQ(TurnOf({4, 4, 4, 4}, 3), (Turn{.joined_max = 4, .first = 0}));
}

TEST(TurnTest, WhoServedLessGoesFirstWhateverTheLot) {
  const StoreId one = *StoreId::Parse("s1");
  const StoreId two = *StoreId::Parse("s2");
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_LT(RankOf(seed, one, {.rounds_joined = 3}), RankOf(seed, two, {.rounds_joined = 4}));
    EXPECT_EQ(RankOf(seed, one, {.rounds_joined = 3}), RankOf(seed, one, {.rounds_joined = 3}));
  }
}

}  // namespace
}  // namespace aisle::test
