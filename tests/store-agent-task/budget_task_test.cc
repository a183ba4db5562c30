// Whose budget a task spends on a real site, and what headquarters hears when there is none left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/storage/files.h"
#include "tests/store-agent-task/site_task.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The line plan's table, but its rows are people's.
constexpr std::string_view kPeople = R"(
[points]
time = "a"
customer = "who"
[points.columns]
a = {type = "int64", range = [0, 99]}
x = {type = "double", range = [-1, 1]}
y = {type = "double", range = [-3, 3]}
secret = {type = "int64", range = [0, 9]}
who = {type = "int64", nullable = true}
)";

class BudgetTaskTest : public SiteTaskTest {
 protected:
  BudgetTaskTest() : SiteTaskTest(kPeople) { policy_.caps = {.delta = 1e-6}; }

  std::vector<LedgerEntry> Entries() const { return Ledger::Load(folder_.Read("ledger/ledger"))->ledger.entries(); }
  std::string Detail() {
    const std::optional<TaskEnd> end = steps_->Vet(task_);
    return end ? std::get<Refused>(*end).detail : "";
  }
};

TEST_F(BudgetTaskTest, APlanForTheStoreSpendsItsCustomersBudgetToo) {
  policy_.customers.stores_max = 3;
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");  // No rows: noise only, which costs the same.
  ASSERT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
  const std::vector<LedgerEntry> entries = Entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].debit.population.str(), "customers");
  EXPECT_EQ(entries[0].debit.unit, PrivacyUnit::kStore);
  EXPECT_EQ(entries[0].debit.presence, Presence::kStoresMax);
  EXPECT_EQ(entries[0].debit.stores_max, 3u);
  EXPECT_EQ(entries[1].debit.population.str(), "store");
  EXPECT_EQ(entries[1].debit.stores_max, 1u);
}

TEST_F(BudgetTaskTest, ARefusalTellsHeadquartersWhatIsMissing) {
  policy_.caps.floor_per_year = 2;
  EXPECT_EQ(Vet(), "privacy_budget");
  EXPECT_THAT(Detail(), AllOf(HasSubstr("population customers"), HasSubstr("floor epsilon 0.000 within 365 days"),
                              HasSubstr("this would make it"), HasSubstr("cap of 2 at delta 1e-06")));
  policy_.caps = {.aggregate_per_year = 2, .delta = 1e-6};
  EXPECT_THAT(Detail(), HasSubstr("aggregate epsilon"));
  policy_.caps = {.floor_ever = 2, .delta = 1e-6};
  EXPECT_THAT(Detail(), HasSubstr("since the ledger was opened"));
  EXPECT_TRUE(Entries().empty());
}

TEST_F(BudgetTaskTest, OneCustomersBudgetIsSharedByAllJobs) {
  policy_.caps.floor_per_year = 8;
  Debit other{.population = Population::Parse("customers").value(),
              .round = {.job = JobId::Parse("statistics").value(), .number = 1},
              .plan = Sha256::Of("another plan"),
              .unit = PrivacyUnit::kCustomer,
              .noise_multiplier = 1,
              .sampling_rate = 1,
              .delta = 1e-6};
  ASSERT_EQ(Vet(), "");
  while (ledger_->Spend(other, policy_.caps, clock_.Now()).ok()) ++other.round.number;
  EXPECT_EQ(Vet(), "privacy_budget");
}

TEST_F(BudgetTaskTest, MoreRoundsThanTheBudgetAllowsEndInRefusals) {
  policy_.caps.floor_per_year = 12;
  std::string refused;
  for (task_.round.number = 1; refused.empty() && task_.round.number < 10; ++task_.round.number) {
    refused = Vet();
    if (!refused.empty()) break;
    ASSERT_EQ(Train(), "");
    ASSERT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
  }
  EXPECT_EQ(refused, "privacy_budget");
  EXPECT_GT(Entries().size(), 1u);
  EXPECT_LE(ledger_->MostSpent(1e-6, clock_.Now()).floor_epsilon, 12);
}

TEST_F(BudgetTaskTest, ABudgetSpentBetweenTrainingAndReleaseKeepsTheUpdateHere) {
  policy_.caps.floor_per_year = 8;
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  policy_.caps.floor_per_year = 0.1;
  const auto released = steps_->Release(task_);
  EXPECT_EQ(Ended(std::get<TaskEnd>(released)), "privacy_budget");
  EXPECT_TRUE(Entries().empty());
  EXPECT_EQ(spool_.Find(task_.round).value(), std::nullopt);
}

TEST_F(BudgetTaskTest, AHaltedLedgerTakesNoTaskAndLetsNothingOut) {
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  ledger_->Compare(LedgerHead{.entries = 7, .digest = Sha256::Of("seven")});
  EXPECT_EQ(Ended(std::get<TaskEnd>(steps_->Release(task_))), "ledger_halted") << "the answer came while it trained";
  EXPECT_EQ(spool_.Find(task_.round).value(), std::nullopt);
  EXPECT_EQ(Vet(), "ledger_halted");
  EXPECT_THAT(Detail(), AllOf(HasSubstr("ends at entry 0"), HasSubstr("entry 7")));
  EXPECT_TRUE(Entries().empty());
}

}  // namespace
}  // namespace aisle
