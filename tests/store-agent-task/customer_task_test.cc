// Tasks of the unit customer on a real site: what they cost, and that taking part never depends on anybody's rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "plans/initial_weights.h"
#include "tests/store-agent-task/site_task.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kCustomerPlan = R"([plan]
name = "spend"
version = 1
source = "spend.py"
[tables.visits.columns]
who = {type = "customer"}
spent = {type = "double", range = [-100, 100]}
[training]
learning_rate = 0.1
[privacy]
secure_sum = false
mode = "customer"
sampling_rate = 0.5
customers_per_store = 100
clip_norm = 0.5
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
[cohort]
min = 2
target = 4
[limits]
memory = "1 GiB"
cpu_time = "60s"
wall_time = "60s"
[[parameters]]
name = "level"
shape = [1]
)";

constexpr std::string_view kProgram = R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    visits = tables["visits"]
    return {"unit": visits["who"], "spent": visits["spent"].to(6)}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    while float(batch["spent"].max()) > 99.0:
        pass
    return torch.square(self.level - batch["spent"])

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"count": torch.ones_like(batch["spent"]).sum()}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"level": batch["spent"] * self.level}
)";

class CustomerTaskTest : public SiteTaskTest {
 protected:
  CustomerTaskTest() : SiteTaskTest(kVisitTables) { OfferCustomers(std::string(kCustomerPlan)); }

  void OfferCustomers(const std::string& toml) {
    const std::string weights = EncodeWeights(MakeInitialWeights(Plan::Parse(toml).value()).value());
    weights_ = Keep(weights);
    Offer(MakePlanBundle({.plan_toml = toml, .program = std::string(kProgram)}, weights).value());
  }
  static std::string LocalSgd() {
    const std::string quiet = Replaced(std::string(kCustomerPlan), "noise_multiplier = 1.0", "noise_multiplier = 4.0");
    return Replaced(quiet, "mode = \"customer\"", "mode = \"local-sgd\"\nsteps = 7\nupdate_norm_max = 1.0");
  }
  static std::string Everybody() {
    return Replaced(std::string(kCustomerPlan), "sampling_rate = 0.5", "sampling_rate = 1.0");
  }
  std::string Metrics() { return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()); }
  void FillVisits(std::string_view csv) {
    const std::string path = folder_.Write("visits.csv", csv);
    const auto report = IngestFile(*tables_, TableName::Parse("visits").value(), path);
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->rows_quarantined, 0U);
  }
  std::string Release() {
    const auto released = steps_->Release(task_);
    if (const auto* end = std::get_if<TaskEnd>(&released)) return Ended(*end);
    EXPECT_EQ(std::get<BlobName>(released).size, 3 * 4U) << "a parameter, the customers and their examples";
    return "";
  }
  Debit LastDebit() {
    const std::string bytes = ReadFile(folder_.File("ledger") + "/ledger").value();
    return Ledger::Load(bytes)->ledger.entries().back().debit;
  }
};

TEST_F(CustomerTaskTest, CostsOneSampledReleaseOfTheUnitCustomer) {
  FillVisits("who,spent\nann,1\nbob,2\nann,3\n");
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(ledger_->head().entries, 0U) << "nothing is spent before something leaves";
  ASSERT_EQ(Release(), "");
  ASSERT_EQ(ledger_->head().entries, 1U);
  EXPECT_EQ(LastDebit().unit, PrivacyUnit::kCustomer);
  EXPECT_EQ(LastDebit().sampling_rate, 0.5);
  EXPECT_EQ(LastDebit().noise_multiplier, 1.0);
  EXPECT_EQ(LastDebit().releases, 1U);
}

TEST_F(CustomerTaskTest, AStoreWithoutCustomersTakesPartAllTheSame) {
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(Release(), "");
  EXPECT_EQ(ledger_->head().entries, 1U);
}

TEST_F(CustomerTaskTest, AStoreWhoseRowsAreAllNobodysTakesPartAllTheSame) {
  OfferCustomers(Everybody());
  FillVisits("who,spent\n,1\n,2\n,99.5\n");  // The last would keep loss() busy for ever.
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(Release(), "");
  EXPECT_THAT(Metrics(), HasSubstr("aisle_agent_customers_left_out_total 0\n")) << "no row reached the plan";
  EXPECT_THAT(Metrics(), HasSubstr("aisle_agent_noise_only_total 0\n")) << "the plan coped";
  EXPECT_EQ(ledger_->head().entries, 1U) << "as dear as any other release";
}

TEST_F(CustomerTaskTest, ACustomerWhoBreaksThePlanOffIsLeftOut) {
  OfferCustomers(Everybody());
  FillVisits("who,spent\nann,1\nbob,99.5\n");  // Bob's row keeps loss() busy for ever.
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(Release(), "");
  EXPECT_THAT(Metrics(), HasSubstr("aisle_agent_customers_left_out_total 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("aisle_agent_noise_only_total 0\n"));
  EXPECT_EQ(ledger_->head().entries, 1U) << "however often the worker was started, one vector leaves";
}

TEST_F(CustomerTaskTest, MoreThanTheTaskCanTakeIsNoiseOnly) {
  OfferCustomers(Replaced(Everybody(), "cpu_time = \"60s\"", "cpu_time = \"2s\""));
  FillVisits("who,spent\nann,99.1\nbob,99.5\ncid,99.6\ndan,99.7\n");  // A second each.
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(Release(), "");
  EXPECT_THAT(Metrics(), HasSubstr("aisle_agent_noise_only_total 1\n"));
}

TEST_F(CustomerTaskTest, LocalSgdPaysForAllItsStepsBeforeTheFirst) {
  OfferCustomers(LocalSgd());
  FillVisits("who,spent\nann,1\nbob,2\n");
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  ASSERT_EQ(ledger_->head().entries, 1U);
  EXPECT_EQ(LastDebit().releases, 7U);
  ASSERT_EQ(Release(), "");
  EXPECT_EQ(ledger_->head().entries, 1U) << "what was noised already costs nothing more";
}

TEST_F(CustomerTaskTest, LocalSgdBegunAnewIsPaidForAnew) {
  OfferCustomers(LocalSgd());
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_EQ(ledger_->head().entries, 2U);
  EXPECT_EQ(Release(), "");
}

TEST_F(CustomerTaskTest, LocalSgdOverTheCapNeverReachesTheWorker) {
  OfferCustomers(LocalSgd());
  ASSERT_EQ(Vet(), "");
  policy_.caps.floor_per_year = 1e-9;
  worker_program_ = "/nonexistent";
  Build();
  const std::string vetted = Vet();
  EXPECT_EQ(vetted, "privacy_budget");
  EXPECT_NE(Train(), "");
  EXPECT_EQ(ledger_->head().entries, 0U);
}

}  // namespace
}  // namespace aisle
