#include "coordinator/explain/advice.h"

#include <gtest/gtest.h>

#include <set>

#include "base/fleet.h"
#include "coordinator/catalog/records.h"

namespace aisle {
namespace {

StoreId Named(std::string_view name) { return *StoreId::Parse(name); }

TEST(AdviceTest, EveryReasonAStoreCanGiveHasAFix) {
  for (int reason = 1; reason <= kRefusalReasonCount; ++reason) {
    EXPECT_FALSE(FixFor(NameOf(static_cast<RefusalReason>(reason)), {}).empty());
  }
  for (int reason = 1; reason <= kFailureReasonCount; ++reason) {
    EXPECT_FALSE(FixFor(NameOf(static_cast<FailureReason>(reason)), {}).empty());
  }
  for (int absence = 1; absence <= kAbsenceCount; ++absence) {
    EXPECT_FALSE(FixFor(NameOf(static_cast<Absence>(absence)), {}).empty());
  }
}

TEST(AdviceTest, EveryCauseIsThereOnceAndItsFixIsASentence) {
  std::set<std::string_view> seen;
  for (const Advice& advice : AllAdvice()) {
    EXPECT_TRUE(seen.insert(advice.cause).second) << advice.cause;
    EXPECT_TRUE(advice.fix.ends_with('.')) << advice.cause;
    const std::string fix = FixFor(advice.cause, {Named("leeds-01")});
    EXPECT_EQ(fix.find("{}"), std::string::npos) << fix;
  }
}

TEST(AdviceTest, AFixNamesTheStore) {
  EXPECT_EQ(FixFor("revoked", {Named("leeds-01")}),
            "If it is to take part again: `aisle store reinstate leeds-01`, then `aisle store add leeds-01`.");
}

TEST(AdviceTest, ListsNameAFewAndCountTheRest) {
  const std::vector<StoreId> stores = {Named("a"), Named("b"), Named("c"), Named("d")};
  EXPECT_EQ(Naming({}), "nobody");
  EXPECT_EQ(Naming({stores[0]}), "a");
  EXPECT_EQ(Naming({stores[0], stores[1]}), "a and b");
  EXPECT_EQ(Naming({stores[0], stores[1], stores[2]}), "a, b and c");
  EXPECT_EQ(Naming(stores), "a, b and 2 others");
}

TEST(AdviceTest, SpansReadAsPeopleSayThem) {
  EXPECT_EQ(Lasting(absl::Milliseconds(850)), "850ms");
  EXPECT_EQ(Lasting(absl::Milliseconds(4200)), "4.2s");
  EXPECT_EQ(Lasting(absl::Seconds(192)), "3m12s");
  EXPECT_EQ(Lasting(absl::Minutes(125)), "2h05m");
}

}  // namespace
}  // namespace aisle
