#include "coordinator/stores/ledger_standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

using ::testing::HasSubstr;

LedgerHead Head(uint64_t entries, std::string_view chain = "true") {
  return {.entries = entries, .digest = Sha256::Of(fmt::format("{} {}", chain, entries))};
}

LedgerStanding Knowing(const LedgerHead& head, std::string trouble = {}) {
  return {.acknowledged = head, .trouble = std::move(trouble)};
}

TEST(LedgerStandingTest, TheFirstHeadIsTaken) {
  EXPECT_EQ(Judge({}, {.head = Head(4)}), Knowing(Head(4)));
  EXPECT_EQ(Judge({}, {.head = Head(0)}), Knowing(Head(0))) << "an empty ledger has a head, too";
}

TEST(LedgerStandingTest, MovesForwardOnlyPastTheHeadThatTheStoreFound) {
  EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(6), .verified = Head(4)}), Knowing(Head(6)));
  EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(6)}), Knowing(Head(4))) << "it hasn't looked yet";
  EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(6), .verified = Head(3)}), Knowing(Head(4))) << "nor for this one";
}

TEST(LedgerStandingTest, ARewrittenLongerLedgerDoesNotTakeTheTrueOnesPlace) {
  // Its store finds out from the answer; until then, and after, what was acknowledged stays.
  EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(9, "forged")}), Knowing(Head(4)));
  const LedgerStanding halted = Judge(Knowing(Head(4)), {.head = Head(9, "forged"), .halted = true});
  EXPECT_EQ(halted.acknowledged, Head(4));
  EXPECT_THAT(halted.trouble, HasSubstr("spends nothing"));
}

TEST(LedgerStandingTest, AShorterOrOtherLedgerIsTrouble) {
  const LedgerStanding shorter = Judge(Knowing(Head(4)), {.head = Head(2)});
  EXPECT_EQ(shorter.acknowledged, Head(4));
  EXPECT_THAT(shorter.trouble, HasSubstr("shows 2 entries, and 4 were acknowledged"));
  const LedgerStanding other = Judge(Knowing(Head(4)), {.head = Head(4, "forged")});
  EXPECT_EQ(other.acknowledged, Head(4));
  EXPECT_THAT(other.trouble, HasSubstr("rewritten"));
}

TEST(LedgerStandingTest, NothingAStoreSaysMovesItBack) {
  for (const auto& verified : {std::optional<LedgerHead>(), std::optional(Head(4)), std::optional(Head(2))}) {
    EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(2), .verified = verified}).acknowledged, Head(4));
    EXPECT_EQ(Judge(Knowing(Head(4)), {.head = Head(2), .verified = verified, .halted = true}).acknowledged, Head(4));
  }
}

TEST(LedgerStandingTest, TroubleEndsWhenTheStoreFindsTheHeadAgain) {
  const LedgerStanding trouble = Knowing(Head(4), "rolled back");
  EXPECT_EQ(Judge(trouble, {.head = Head(4)}), trouble) << "it must have looked";
  EXPECT_EQ(Judge(trouble, {.head = Head(4), .halted = true}), trouble) << "the first reason stays";
  EXPECT_EQ(Judge(trouble, {.head = Head(5), .verified = Head(4)}), Knowing(Head(5)));
}

}  // namespace
}  // namespace aisle
