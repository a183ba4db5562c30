#include "store-agent/policy/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A plan, a policy and a site that suit each other; each test spoils one thing.
class EvaluateTest : public ::testing::Test {
 protected:
  EvaluateTest() {
    plan_.name = "demand";
    plan_.tables = {{.name = "sales",
                     .columns = {{.name = "week", .type = ColumnType::kInt64, .range = {}},
                                 {.name = "who", .type = ColumnType::kCustomer, .range = {}},
                                 {.name = "photo", .type = ColumnType::kBytes, .range = {}, .width = 3}},
                     .rows_min = 5}};
    plan_.privacy.mode = PrivacyMode::kStore;
    plan_.privacy.secure_sum = true;
    plan_.limits = {.memory = 1 << 30, .cpu_time = absl::Minutes(10), .wall_time = absl::Minutes(15)};
    schema_ = *Schema::Parse(R"(
[sales]
customer = "who"
[sales.columns]
week  = {type = "int64"}
who   = {type = "string"}
photo = {type = "bytes", size = 3}
)");
    rows_ = {{"sales", 5}};
  }

  std::vector<Refused> Refusals() const {
    return Evaluate(policy_, {.plan = plan_, .digest = {}, .transfer_bytes = transfer_},
                    {.schema = schema_, .rows = rows_, .bytes_today = bytes_today_}, now_);
  }
  std::vector<RefusalReason> Reasons() const {
    std::vector<RefusalReason> reasons;
    for (const Refused& refused : Refusals()) reasons.push_back(refused.reason);
    return reasons;
  }

  Plan plan_;
  SitePolicy policy_;
  Schema schema_;
  std::map<std::string, uint64_t> rows_;
  uint64_t transfer_ = 1000;
  uint64_t bytes_today_ = 0;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15 08:00 UTC.
};

TEST_F(EvaluateTest, TakesWhatItsPolicyAllows) { EXPECT_THAT(Refusals(), IsEmpty()); }

TEST_F(EvaluateTest, RefusesAPlanThatIsNotListed) {
  policy_.plan_names = {"other"};
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kPlanNotAllowed));
  EXPECT_THAT(Refusals()[0].detail, HasSubstr("demand"));
}

TEST_F(EvaluateTest, RefusesATableThatIsNotKept) {
  plan_.tables[0].name = "visits";
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kTableMissing));
}

TEST_F(EvaluateTest, RefusesColumnsThatAreNotKeptAsThePlanWantsThem) {
  plan_.tables[0].columns[0].name = "month";
  plan_.tables[0].columns[1].type = ColumnType::kString;
  plan_.tables[0].columns[2].width = 4;
  const std::vector<Refused> refusals = Refusals();
  ASSERT_EQ(refusals.size(), 3u);
  EXPECT_THAT(refusals[0].detail, HasSubstr("has no column month"));
  EXPECT_THAT(refusals[1].detail, HasSubstr("sales.who is of type customer here, the plan wants string"));
  EXPECT_THAT(refusals[2].detail, HasSubstr("has 3 bytes per row here, the plan wants 4"));
}

TEST_F(EvaluateTest, RefusesColumnsThatThePolicyKeepsBack) {
  policy_.tables = {{"sales", {"week", "photo"}}};
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kColumnNotAllowed));
  EXPECT_THAT(Refusals()[0].detail, HasSubstr("sales.who"));
}

TEST_F(EvaluateTest, RefusesOutsideOfItsHours) {
  policy_.hours = Hours({HourWindow{22 * 60, 6 * 60}}, absl::UTCTimeZone());
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kOutsideHours));
  EXPECT_THAT(Refusals()[0].detail, HasSubstr("2027-01-15T22:00:00Z"));
  now_ += absl::Hours(15);
  EXPECT_THAT(Refusals(), IsEmpty());
}

TEST_F(EvaluateTest, RefusesACustomersPlanOnTablesWithoutCustomers) {
  plan_.privacy.mode = PrivacyMode::kCustomer;
  EXPECT_THAT(Refusals(), IsEmpty());
  plan_.tables[0].columns.erase(plan_.tables[0].columns.begin() + 1);
  schema_.tables[0].customer = std::nullopt;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kPrivacyUnit));
}

TEST_F(EvaluateTest, RefusesNoPrivacyUnlessItIsWrittenOut) {
  plan_.privacy.mode = PrivacyMode::kNone;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kPrivacyUnit));
  policy_.units.insert(PrivacyUnit::kNone);
  EXPECT_THAT(Refusals(), IsEmpty());
}

TEST_F(EvaluateTest, RefusesPlansWithoutTheSecureSumUnlessItIsOptional) {
  plan_.privacy.secure_sum = false;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kSecureSumRequired));
  policy_.secure_sum_required = false;
  EXPECT_THAT(Refusals(), IsEmpty());
}

TEST_F(EvaluateTest, RefusesSumsThatAssumeFewerColludersThanTheSiteDoes) {
  policy_.corrupt_permille_min = 50;
  plan_.privacy.secure_sum = true;
  plan_.privacy.corrupt_permille = 49;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kSecureSumRequired));
  plan_.privacy.corrupt_permille = 50;
  EXPECT_THAT(Refusals(), IsEmpty());
  plan_.privacy.secure_sum = false;
  plan_.privacy.corrupt_permille = 0;
  policy_.secure_sum_required = false;
  EXPECT_THAT(Refusals(), IsEmpty()) << "a plan without the sum assumes nothing";
}

TEST_F(EvaluateTest, RefusesMoreThanItsCaps) {
  policy_.memory_max = plan_.limits.memory - 1;
  policy_.cpu_time_max = absl::Minutes(9);
  policy_.wall_time_max = absl::Minutes(14);
  EXPECT_THAT(Reasons(),
              ElementsAre(RefusalReason::kResourceCap, RefusalReason::kResourceCap, RefusalReason::kResourceCap));
}

TEST_F(EvaluateTest, RefusesMoreThanTheDaysBytes) {
  policy_.bytes_per_day = 1500;
  bytes_today_ = 500;
  EXPECT_THAT(Refusals(), IsEmpty());
  bytes_today_ = 501;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kByteBudget));
  bytes_today_ = 2000;
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kByteBudget));
}

TEST_F(EvaluateTest, TellsThatRowsAreFewOnlyWhereNoPrivacyIsClaimed) {
  rows_["sales"] = 4;
  EXPECT_THAT(Refusals(), IsEmpty());
  EXPECT_FALSE(HasRowsFor(plan_, {.schema = schema_, .rows = rows_}));
  plan_.privacy.mode = PrivacyMode::kNone;
  policy_.units.insert(PrivacyUnit::kNone);
  EXPECT_THAT(Reasons(), ElementsAre(RefusalReason::kNotEnoughData));
}

TEST_F(EvaluateTest, GivesEveryReasonAtOnceInOrder) {
  policy_.plan_names = {};
  policy_.tables = {{"stores", {"*"}}};
  policy_.units = {};
  plan_.privacy.secure_sum = false;
  bytes_today_ = policy_.bytes_per_day;
  EXPECT_THAT(Reasons(),
              ElementsAre(RefusalReason::kPlanNotAllowed, RefusalReason::kColumnNotAllowed,
                          RefusalReason::kColumnNotAllowed, RefusalReason::kColumnNotAllowed,
                          RefusalReason::kPrivacyUnit, RefusalReason::kByteBudget, RefusalReason::kSecureSumRequired));
}

}  // namespace
}  // namespace aisle
