// A task on a real site: policy, tables, ledger, worker. Headquarters' part, a signed plan in the cache, is played.
#include "store-agent/task/site_task_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stop_token>

#include "privacy/accounting/price.h"
#include "tests/store-agent-task/site_task.h"

namespace aisle {
namespace {

using VettingTest = SiteTaskTest;

TEST_F(VettingTest, AnAllowedPlanPasses) { EXPECT_EQ(Vet(), ""); }

TEST_F(VettingTest, AnUnsignedPlanIsRefused) {
  task_.plan_signature[5] ^= 1;
  EXPECT_EQ(Vet(), "plan_signature");
  task_.plan_signature = "short";
  EXPECT_EQ(Vet(), "plan_signature");
  task_.plan_signature = SignPlan(SigningKey::Generate(random_).value(), task_.plan.digest).value();
  EXPECT_EQ(Vet(), "plan_signature") << "signed by a stranger";
}

TEST_F(VettingTest, SignedRubbishIsNoPlan) {
  OfferBytes("rubbish");
  EXPECT_EQ(Vet(), "plan_invalid");
  OfferChanged("batch_size = 16", "batch_size = -16");
  EXPECT_EQ(Vet(), "plan_invalid");
}

TEST_F(VettingTest, APlanThatIsGoneFromTheDiskFailsTheDownload) {
  folder_.Write("cache/" + task_.plan.digest.Hex(), "damaged");
  EXPECT_EQ(Vet(), "download");
}

TEST_F(VettingTest, TheSitePolicyHasItsSay) {
  policy_.plan_names = {"another"};
  EXPECT_EQ(Vet(), "plan_not_allowed");
  policy_ = {};
  policy_.tables = {{"points", {"a", "x"}}};
  EXPECT_EQ(Vet(), "column_not_allowed");
  policy_ = {};
  policy_.memory_max = uint64_t{512} << 20;
  EXPECT_EQ(Vet(), "resource_cap");
  policy_ = {};
  policy_.units = {PrivacyUnit::kCustomer};
  EXPECT_EQ(Vet(), "privacy_unit");
  policy_ = {};
  EXPECT_EQ(Vet(), "secure_sum_required") << "the plan turns it off";
  OfferChanged("x = {type = \"double\", range = [-1, 1]}", "x = {type = \"int64\", range = [-1, 1]}");
  EXPECT_EQ(Vet(), "table_missing");
}

TEST_F(VettingTest, TheByteBudgetHoldsForWhatIsToCome) {
  policy_.bytes_per_day = weights_.size;
  EXPECT_EQ(Vet(), "") << "the weights are here; the update fits";
  meter_.CountUp(1);
  EXPECT_EQ(Vet(), "byte_budget");
  EXPECT_EQ(Ended(steps_->AllowFetch({.size = weights_.size})), "byte_budget");
  EXPECT_EQ(Ended(steps_->AllowFetch({.size = weights_.size - 1})), "");
}

TEST_F(VettingTest, ThePriceIsPutToTheLedger) {
  policy_.caps.floor_per_year = 0.5;
  EXPECT_EQ(Vet(), "privacy_budget");
  EXPECT_EQ(ledger_->head().entries, 0u) << "asking costs nothing";
}

TEST_F(VettingTest, AStoreTakesPartOnlyAsOftenAsTheContractSays) {
  policy_.caps = {};
  OfferChanged("rounds_max = 10", "rounds_max = 2");
  EXPECT_EQ(Vet(), "");
  for (uint32_t round = 1; round <= 2; ++round) {
    const Debit debit{.population = Population::Parse(kStorePopulation).value(),
                      .round = {.job = task_.round.job, .number = round},
                      .plan = task_.plan.digest,
                      .unit = PrivacyUnit::kStore,
                      .noise_multiplier = 1,
                      .delta = 1e-6};
    ASSERT_TRUE(ledger_->Spend(debit, SpendingCaps(), absl::Now()).ok());
  }
  EXPECT_EQ(Vet(), "privacy_budget");
}

TEST_F(VettingTest, APlanForCustomersThatNamesNoneIsRefused) {
  OfferChanged("mode = \"store\"", "mode = \"customer\"");
  EXPECT_EQ(Vet(), "plan_invalid");
}

using TrainingTest = SiteTaskTest;

TEST_F(TrainingTest, RowsBecomeANoisedUpdateInTheSpool) {
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  const auto released = steps_->Release(task_);
  ASSERT_TRUE(std::holds_alternative<BlobName>(released)) << Ended(std::get<TaskEnd>(released));
  EXPECT_EQ(std::get<BlobName>(released).size, 3 * 4u) << "two parameters and a metric";
  EXPECT_EQ(spool_.Find(task_.round).value(), std::get<BlobName>(released));
  EXPECT_EQ(ledger_->head().entries, 1u);
  EXPECT_GT(ledger_->MostSpent(1e-6, absl::Now()).floor_epsilon, 0);
}

TEST_F(TrainingTest, UnderTheSecureSumTheStoreKnowsItsOwnTermsAndOthersSeeOnlyTheSum) {
  PlanBundle bundle = plan_.Bundle();
  bundle.plan_toml =
      Replaced(Replaced(bundle.plan_toml, "secure_sum = false", "corrupt_share = 0.3\ndropout_share = 0.2"),
               "min = 2\ntarget = 4", "min = 4\ntarget = 4");
  Offer(bundle);
  policy_.secure_sum_required = true;
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  EXPECT_FALSE(steps_->SumOf(task_)) << "there is no vector yet";
  ASSERT_EQ(Train(), "");
  const CohortTerms terms{.round = task_.round,
                          .plan = task_.plan.digest,
                          .length = 3,
                          .cohort_min = 4,
                          .corrupt_permille = 300,
                          .dropout_permille = 200};
  EXPECT_EQ(steps_->SumOf(task_), terms);
  ASSERT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
  // Of four stores at most two collude, 0.3 * 4 rounded up: the noise of two is in every sum.
  const Spending spent = ledger_->MostSpent(1e-6, absl::Now());
  const Price price = PriceOf({.noise_multiplier = 1, .rounds = 1, .delta = 1e-6, .stores = 2}).value();
  EXPECT_DOUBLE_EQ(spent.floor_epsilon, price.ledger_epsilon);
  EXPECT_DOUBLE_EQ(spent.aggregate_epsilon, price.aggregate_ledger_epsilon);
  EXPECT_LT(spent.aggregate_epsilon, spent.floor_epsilon);
}

TEST_F(TrainingTest, WithoutTheSecureSumTheAggregateIsTheFloor) {
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_FALSE(steps_->SumOf(task_));
  ASSERT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
  const Spending spent = ledger_->MostSpent(1e-6, absl::Now());
  EXPECT_EQ(spent.aggregate_epsilon, spent.floor_epsilon);
}

TEST_F(TrainingTest, AnUpdateIsReleasedOnce) {
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  ASSERT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
  EXPECT_EQ(Ended(std::get<TaskEnd>(steps_->Release(task_))), "worker_crash");
  EXPECT_EQ(ledger_->head().entries, 1u);
}

TEST_F(TrainingTest, AnotherRoundsUpdateIsntReleased) {
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  task_.round.number = 2;
  EXPECT_TRUE(std::holds_alternative<TaskEnd>(steps_->Release(task_)));
  EXPECT_EQ(ledger_->head().entries, 0u);
}

TEST_F(TrainingTest, AForgottenUpdateIsGone) {
  FillTable(100);
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  steps_->ForgetUpdate();
  EXPECT_TRUE(std::holds_alternative<TaskEnd>(steps_->Release(task_)));
}

TEST_F(TrainingTest, AStoreWithoutRowsSendsNoiseAndDoesntSayWhy) {
  worker_program_ = "/nonexistent";  // It isn't even asked.
  Build();
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_TRUE(std::holds_alternative<BlobName>(steps_->Release(task_)));
}

TEST_F(TrainingTest, AMissingWorkerFailsTheTaskOnly) {
  FillTable(10);
  worker_program_ = "/nonexistent";
  Build();
  ASSERT_EQ(Vet(), "");
  EXPECT_EQ(Train(), "worker_crash");
}

TEST_F(TrainingTest, WeightsOfAnotherPlanAreAPlanError) {
  FillTable(10);
  ASSERT_EQ(Vet(), "");
  task_.weights = Keep("no weights at all");
  EXPECT_EQ(Train(), "plan_error");
}

TEST_F(TrainingTest, APlanThatRaisesTellsNoMoreThanThat) {
  FillTable(50);
  plan_.loss = "\n    return torch.ones([42]) + torch.ones([7]) + self.slope";
  Offer(plan_.Bundle());
  ASSERT_EQ(Vet(), "");
  const std::optional<TaskEnd> end = steps_->Train(task_, SecretBytes(32), absl::Now() + absl::Minutes(5), {});
  ASSERT_EQ(Ended(end), "plan_error");
  EXPECT_EQ(std::get<Failed>(*end).detail.find("42"), std::string::npos) << "its text may quote data";
}

TEST_F(TrainingTest, TheRoundsDeadlineCutsTrainingShort) {
  FillTable(50);
  plan_.loss = "\n    total = 0\n    while total < 2:\n        total = total * 1\n    return batch[\"x\"] * self.slope";
  Offer(plan_.Bundle());
  ASSERT_EQ(Vet(), "");
  EXPECT_EQ(Train(absl::Seconds(1)), "time_cap");
}

TEST_F(TrainingTest, AStoppedTrainingEndsAndTheNextOneWorks) {
  FillTable(50);
  ASSERT_EQ(Vet(), "");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_NE(Train(absl::Minutes(5), stop.get_token()), "");
  steps_->LetWorkerGo();
  ASSERT_EQ(Vet(), "");
  EXPECT_EQ(Train(), "");
}

}  // namespace
}  // namespace aisle
