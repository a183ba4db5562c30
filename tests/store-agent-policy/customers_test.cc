#include "store-agent/policy/customers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTables = R"(
[sales]
customer = "household"
[sales.columns]
household = {type = "int64"}
[visits]
customer = "card"
[visits.columns]
card = {type = "int64"}
[shifts]
customer = "person"
[shifts.columns]
person = {type = "int64"}
[weather]
[weather.columns]
rain = {type = "double"}
)";

class PopulationsTest : public ::testing::Test {
 protected:
  PopulationsTest() { policy_.populations.emplace("shifts", Population::Parse("staff").value()); }

  StatusOr<std::vector<std::string>> Of(PrivacyMode mode, const std::vector<std::string>& tables) const {
    Plan plan;
    plan.privacy.mode = mode;
    for (const std::string& table : tables) plan.tables.push_back({.name = table, .columns = {}});
    AISLE_ASSIGN_OR_RETURN(const std::vector<Population> populations, PopulationsOf(plan, schema_, policy_));
    std::vector<std::string> names;
    for (const Population& population : populations) names.push_back(population.str());
    return names;
  }

  Schema schema_ = Schema::Parse(kTables).value();
  CustomersPolicy policy_;
};

TEST_F(PopulationsTest, AllTablesWithCustomersAreAboutOnePopulation) {
  for (const PrivacyMode mode : {PrivacyMode::kCustomer, PrivacyMode::kLocalSgd}) {
    EXPECT_THAT(Of(mode, {"sales"}).value(), ElementsAre("customers"));
    EXPECT_THAT(Of(mode, {"visits"}).value(), ElementsAre("customers"));
    EXPECT_THAT(Of(mode, {"sales", "visits", "weather"}).value(), ElementsAre("customers"));
  }
  policy_.population = Population::Parse("shoppers").value();
  EXPECT_THAT(Of(PrivacyMode::kCustomer, {"sales"}).value(), ElementsAre("shoppers"));
}

TEST_F(PopulationsTest, TablesCanBeAboutOtherPeople) {
  EXPECT_THAT(Of(PrivacyMode::kCustomer, {"shifts", "weather"}).value(), ElementsAre("staff"));
}

TEST_F(PopulationsTest, APlanForTheStoreSpendsItsCustomersBudgetsToo) {
  EXPECT_THAT(Of(PrivacyMode::kStore, {"weather"}).value(), ElementsAre("store"));
  EXPECT_THAT(Of(PrivacyMode::kStore, {"weather", "sales"}).value(), ElementsAre("customers", "store"));
  EXPECT_THAT(Of(PrivacyMode::kNone, {"shifts", "sales"}).value(), ElementsAre("customers", "staff", "store"));
}

TEST_F(PopulationsTest, ACustomersPlanNeedsCustomersOfOneKind) {
  EXPECT_EQ(Of(PrivacyMode::kCustomer, {"weather"}).status().code(), StatusCode::kFailedPrecondition);
  const Status mixed = Of(PrivacyMode::kLocalSgd, {"sales", "shifts"}).status();
  EXPECT_EQ(mixed.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(MessageOf(mixed)), HasSubstr("customers, staff"));
}

}  // namespace
}  // namespace aisle
