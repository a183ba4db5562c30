#include "privacy/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace aisle {
namespace {

using ::testing::HasSubstr;

PrivacyContract GoodContract() {
  return {.mode = PrivacyMode::kStore,
          .clip_norm = 2,
          .noise_multiplier = 0.5,
          .delta = 1e-6,
          .rounds_max = 100,
          .cohort_min = 5,
          .cohort_target = 10,
          .metric_share = 0.1};
}

template <typename Change>
std::string ComplaintAbout(Change change) {
  PrivacyContract contract = GoodContract();
  change(contract);
  const Status status = Validate(contract);
  if (status.ok()) return "none";
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  return std::string(MessageOf(status));
}

TEST(ContractTest, TakesAGoodContract) { EXPECT_TRUE(Validate(GoodContract()).ok()); }

TEST(ContractTest, NamesEachNumberOutOfRange) {
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.clip_norm = 0; }), HasSubstr("clip_norm is 0"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.clip_norm = std::nan(""); }), HasSubstr("clip_norm is nan"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.noise_multiplier = 0; }), HasSubstr("noise_multiplier is 0"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.noise_multiplier = INFINITY; }), HasSubstr("noise_multiplier is inf"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.delta = 0; }), HasSubstr("delta is 0"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.delta = 0.5; }), HasSubstr("delta is 0.5"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.rounds_max = 0; }), HasSubstr("rounds_max is 0"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.cohort_min = 11; }), HasSubstr("to the cohort target of 10"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.cohort_target = 0; }), HasSubstr("cohort_target is 0"));
  EXPECT_THAT(ComplaintAbout([](auto& c) { c.metric_share = 1; }), HasSubstr("metric_share is 1"));
}

TEST(ContractTest, ListsAllMistakesAtOnce) {
  const std::string complaint = ComplaintAbout([](auto& c) {
    c.clip_norm = -1;
    c.delta = 2;
    c.rounds_max = 0;
  });
  EXPECT_THAT(complaint,
              ::testing::AllOf(HasSubstr("clip_norm is -1"), HasSubstr("delta is 2"), HasSubstr("rounds_max is 0")));
}

TEST(ContractTest, TheUnitNonePromisesNothingAndSaysSo) {
  PrivacyContract contract = GoodContract();
  contract.mode = PrivacyMode::kNone;
  EXPECT_THAT(std::string(MessageOf(Validate(contract))), HasSubstr("promises nothing"));
  contract.noise_multiplier = 0;
  contract.delta = 0;
  EXPECT_TRUE(Validate(contract).ok());
}

TEST(ContractTest, NamesItsUnits) {
  for (const PrivacyUnit unit : {PrivacyUnit::kNone, PrivacyUnit::kStore, PrivacyUnit::kCustomer}) {
    EXPECT_EQ(ParsePrivacyUnit(ToString(unit)).value(), unit);
  }
  EXPECT_THAT(std::string(MessageOf(ParsePrivacyUnit("shop").status())), HasSubstr("use customer, store or none"));
}

TEST(ContractTest, NamesItsModesAndTheirUnits) {
  PrivacyContract contract;
  for (const auto& [mode, unit] :
       {std::pair{PrivacyMode::kNone, PrivacyUnit::kNone}, std::pair{PrivacyMode::kStore, PrivacyUnit::kStore},
        std::pair{PrivacyMode::kCustomer, PrivacyUnit::kCustomer},
        std::pair{PrivacyMode::kLocalSgd, PrivacyUnit::kCustomer}}) {
    EXPECT_EQ(ParsePrivacyMode(ToString(mode)).value(), mode);
    contract.mode = mode;
    EXPECT_EQ(contract.unit(), unit);
  }
  EXPECT_THAT(std::string(MessageOf(ParsePrivacyMode("shop").status())), HasSubstr("use customer, local-sgd, store"));
}

PrivacyContract CustomerContract() {
  PrivacyContract contract = GoodContract();
  contract.mode = PrivacyMode::kCustomer;
  contract.sampling_rate = 0.05;
  contract.customers_per_store = 2000;
  return contract;
}

TEST(ContractTest, DividesByThePlannedCustomersNeverByACount) {
  EXPECT_EQ(GoodContract().divisor(), 10);
  EXPECT_DOUBLE_EQ(CustomerContract().divisor(), 0.05 * 2000 * 10);
  PrivacyContract local = CustomerContract();
  local.mode = PrivacyMode::kLocalSgd;
  EXPECT_EQ(local.divisor(), 10);
}

TEST(ContractTest, AsksOfCustomersWhatTheirPromiseNeeds) {
  EXPECT_TRUE(Validate(CustomerContract()).ok());
  const auto complaint = [](auto change) {
    PrivacyContract contract = CustomerContract();
    change(contract);
    return std::string(MessageOf(Validate(contract)));
  };
  EXPECT_THAT(complaint([](auto& c) { c.sampling_rate = 0; }), HasSubstr("sampling_rate is 0; it must be over 0"));
  EXPECT_THAT(complaint([](auto& c) { c.sampling_rate = 1.1; }), HasSubstr("sampling_rate"));
  EXPECT_THAT(complaint([](auto& c) { c.sampling_rate = std::nan(""); }), HasSubstr("sampling_rate"));
  EXPECT_THAT(complaint([](auto& c) { c.customers_per_store = 0; }), HasSubstr("customers_per_store"));
  EXPECT_THAT(complaint([](auto& c) { c.delta = 1e-4; }), HasSubstr("at most 1 / 20000 customers"));
  EXPECT_THAT(complaint([](auto& c) { c.steps = 5; }), HasSubstr("1 unless the mode is local-sgd"));
  EXPECT_THAT(complaint([](auto& c) { c.adaptive_clip = AdaptiveClip{.quantile = 1}; }), HasSubstr("quantile"));
  EXPECT_THAT(complaint([](auto& c) {
                c.mode = PrivacyMode::kLocalSgd;
                c.update_norm_max = 1;
                c.adaptive_clip.emplace();
              }),
              HasSubstr("left out"));
  EXPECT_THAT(complaint([](auto& c) { c.mode = PrivacyMode::kLocalSgd; }), HasSubstr("update_norm_max"));
}

}  // namespace
}  // namespace aisle
