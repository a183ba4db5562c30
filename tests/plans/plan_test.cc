#include "plans/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plans/initial_weights.h"
#include "plans/slots.h"
#include "plans/update_vector.h"
#include "tests/plans/sample_plan.h"

namespace aisle {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string MistakesOf(std::string_view toml) { return std::string(MessageOf(Plan::Parse(toml).status())); }

TEST(PlanTest, ReadsEverySection) {
  const StatusOr<Plan> plan = Plan::Parse(SamplePlan());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->name, "sample");
  EXPECT_EQ(plan->version, 3U);
  EXPECT_EQ(plan->program_kind, ProgramKind::kSource);
  ASSERT_EQ(plan->tables.size(), 1U);
  EXPECT_EQ(plan->tables[0].rows_min, 10U);
  ASSERT_EQ(plan->tables[0].columns.size(), 3U);
  EXPECT_EQ(plan->tables[0].columns[1].name, "price");
  EXPECT_EQ(plan->tables[0].columns[1].range.max, 10);
  EXPECT_EQ(plan->tables[0].columns[2].type, ColumnType::kCustomer);
  EXPECT_EQ(plan->training.optimizer, LocalOptimizer::kAdam);
  EXPECT_EQ(plan->validation.last, 13);
  EXPECT_EQ(plan->privacy.mode, PrivacyMode::kStore);
  EXPECT_EQ(plan->privacy.cohort_target, 40U);
  EXPECT_EQ(plan->privacy.metric_share, 0.1);
  EXPECT_EQ(plan->server.kind, ServerOptimizerKind::kFedAdam);
  EXPECT_EQ(plan->server.tau, 0.01);
  EXPECT_EQ(plan->deadlines.training, absl::Minutes(20));
  EXPECT_EQ(plan->deadlines.collecting, absl::Minutes(2));
  EXPECT_EQ(plan->deadlines.summing, absl::Seconds(30));
  EXPECT_FALSE(plan->privacy.secure_sum);
  EXPECT_EQ(plan->limits.memory, uint64_t{2} << 30);
  ASSERT_EQ(plan->metrics.size(), 1U);
  EXPECT_EQ(plan->parameters.size(), 3U);
  EXPECT_NE(plan->FindTable("sales"), nullptr);
  EXPECT_EQ(plan->FindTable("wages"), nullptr);
}

TEST(PlanTest, OnlyTrainableParametersAndMetricsAreInTheUpdate) {
  const Plan plan = Plan::Parse(SamplePlan()).value();
  const Layout weights = DeclaredLayout(plan).value();
  EXPECT_EQ(weights.element_count(), 40U + 64 + 4);
  EXPECT_EQ(plan.TrainableLayout(weights)->element_count(), 68U);
  EXPECT_EQ(UpdateShapeOf(plan, weights)->length(), 69U);
  EXPECT_EQ(UpdateShapeOf(plan, weights)->length(), 69U);
  const Layout other = Layout::Make({{"base", {10, 4}}, {"weight", {4, 17}}, {"bias", {4}}}).value();
  EXPECT_THAT(std::string(MessageOf(plan.TrainableLayout(other).status())), HasSubstr("weight"));
}

TEST(PlanTest, TellsAllMistakesAtOnce) {
  std::string text = SamplePlanWith("epochs = 3", "epochs = 0\nspeed = 9");
  text.replace(text.find("clip_norm = 0.5"), 15, "clip_norm = -1.0");
  text.replace(text.find("target = 40"), 11, "target = 4");
  text.replace(text.find("name = \"bias\""), 13, "name = \"weight\"");
  EXPECT_THAT(MistakesOf(text), AllOf(HasSubstr("epochs"), HasSubstr("speed"), HasSubstr("clip_norm"),
                                      HasSubstr("target"), HasSubstr("used twice"), HasSubstr("5 mistakes")));
}

struct Spoilt {
  std::string name;
  std::string what;
  std::string instead;
  std::string told;
};

class SpoiltPlanTest : public ::testing::TestWithParam<Spoilt> {};

TEST_P(SpoiltPlanTest, IsRefusedNamingTheKey) {
  const std::string text = SamplePlanWith(GetParam().what, GetParam().instead);
  EXPECT_THAT(MistakesOf(text), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , SpoiltPlanTest,
    ::testing::Values(Spoilt{"NoToml", "[plan]", "[plan", "plan.toml:"},
                      Spoilt{"NameWithSpaces", "\"sample\"", "\"a sample\"", "plan.name"},
                      Spoilt{"NoProgram", "source = \"sample.py\"", "", "plan.source"},
                      Spoilt{"TwoPrograms", "source = \"sample.py\"", "source = \"a.py\"\narchive = \"b.pt\"",
                             "either source"},
                      Spoilt{"ProgramElsewhere", "\"sample.py\"", "\"../sample.py\"", "beside plan.toml"},
                      Spoilt{"UnknownType", "\"customer\"", "\"float\"", "int64, double, string"},
                      Spoilt{"NoRange", ", range = [0, 10]", "", "price.range"},
                      Spoilt{"RangeUpsideDown", "[0, 10]", "[10, 0]", "[lowest, highest]"},
                      Spoilt{"RangeNotANumber", "[0, 10]", "[nan, 10]", "[lowest, highest]"},
                      Spoilt{"BytesWithoutWidth", "{type = \"customer\"}", "{type = \"bytes\"}", "width"},
                      Spoilt{"UnknownOptimizer", "\"adam\"", "\"lion\"", "\"sgd\", \"adam\""},
                      Spoilt{"MomentumForAdam", "epochs = 3", "epochs = 3\nmomentum = 0.5", "sgd only"},
                      Spoilt{"TwoSplits", "last = 13", "last = 13\nfraction = 0.1", "either last or fraction"},
                      Spoilt{"NoMode", "mode = \"store\"", "", "privacy.mode"},
                      Spoilt{"UnknownUnit", "\"store\"", "\"shop\"", "\"none\", \"store\", \"customer\""},
                      Spoilt{"NoiseWithoutUnit", "mode = \"store\"", "mode = \"none\"", "none means no noise"},
                      Spoilt{"NoNoise", "noise_multiplier = 1.5", "noise_multiplier = 0.0", "noise_multiplier"},
                      Spoilt{"InfiniteClip", "clip_norm = 0.5", "clip_norm = inf", "clip_norm"},
                      Spoilt{"UnknownServerOptimizer", "\"fedadam\"", "\"adamw\"", "server.optimizer"},
                      Spoilt{"AverageOverNoRound", "tau = 0.01", "average_rounds = 0", "within 1 to 10000"},
                      Spoilt{"AverageOverTooMany", "tau = 0.01", "average_rounds = 10001", "server.average_rounds"},
                      Spoilt{"AverageOverAPart", "tau = 0.01", "average_rounds = 2.5", "server.average_rounds"},
                      Spoilt{"NoTime", "\"20m\"", "\"0s\"", "deadlines.training"},
                      Spoilt{"TooLittleMemory", "\"2 GiB\"", "\"1 MiB\"", "limits.memory"},
                      Spoilt{"MetricCalledCount", "[metrics.loss]", "[metrics.count]", "count"},
                      Spoilt{"DottedParameter", "name = \"weight\"", "name = \"layer.weight\"", "0 to 9 and _"},
                      Spoilt{"EmptyParameter", "[4, 16]", "[4, 0]", "shape"},
                      Spoilt{"HugeParameter", "[4, 16]", "[100000, 100000]", "parameters"},
                      Spoilt{"UnknownInit", "\"uniform_fan_in\"", "\"kaiming\"", "\"uniform_fan_in\""}),
    [](const auto& test) { return test.param.name; });

TEST(SummedPlanTest, APlanThatDoesntSayHasTheSecureSum) {
  const PrivacyContract plain = Plan::Parse(SamplePlanWith("secure_sum = false", "")).value().privacy;
  EXPECT_TRUE(plain.secure_sum);
  EXPECT_EQ(plain.corrupt_permille, 50U);
  EXPECT_EQ(plain.dropout_permille, 100U);
  const Plan plan =
      Plan::Parse(SamplePlanWith("secure_sum = false", "corrupt_share = 0.125\ndropout_share = 0.3")).value();
  EXPECT_TRUE(plan.privacy.secure_sum);
  EXPECT_EQ(plan.privacy.corrupt_permille, 125U);
  EXPECT_EQ(plan.privacy.dropout_permille, 300U);
  EXPECT_EQ(plan.privacy.honest_stores_min(), 7U);  // Of eight, an eighth.
}

std::string SummedPlanWith(std::string_view what, std::string_view instead) {
  std::string text = SamplePlanWith("secure_sum = false", "");
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

class SpoiltSummedPlanTest : public ::testing::TestWithParam<Spoilt> {};

TEST_P(SpoiltSummedPlanTest, IsRefusedNamingTheKey) {
  EXPECT_THAT(MistakesOf(SummedPlanWith(GetParam().what, GetParam().instead)), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , SpoiltSummedPlanTest,
    ::testing::Values(Spoilt{"OverOneStore", "min = 8", "min = 1", "a secure sum over so few hides nothing"},
                      Spoilt{"OverTooMany", "target = 40", "target = 20001", "over 20000 stores at most"},
                      Spoilt{"TooCorrupt", "[cohort]", "corrupt_share = 0.31\n[cohort]", "privacy.corrupt_share"},
                      Spoilt{"TooFine", "[cohort]", "dropout_share = 0.0005\n[cohort]", "counted in thousandths"},
                      Spoilt{"NotANumber", "[cohort]", "dropout_share = nan\n[cohort]", "within 0 to 0.3"},
                      Spoilt{"OffWithShares", "[cohort]", "secure_sum = false\ncorrupt_share = 0.1\n[cohort]",
                             "turns off"},
                      Spoilt{"NoTimeToSum", "training = \"20m\"", "summing = \"0s\"", "deadlines.summing"}),
    [](const auto& test) { return test.param.name; });

TEST(PlanTest, NothingTrainableIsAMistake) {
  std::string text = SamplePlan();
  text.resize(text.find("[[parameters]]\nname = \"weight\""));
  EXPECT_THAT(MistakesOf(text), HasSubstr("nothing trainable"));
}

TEST(PlanTest, AnArchiveBringsItsOwnParameters) {
  std::string text = SamplePlanWith("source = \"sample.py\"", "archive = \"model.pt\"");
  EXPECT_THAT(MistakesOf(text), HasSubstr("must be left out"));
  text.resize(text.find("[[parameters]]"));
  const StatusOr<Plan> plan = Plan::Parse(text);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const Layout layout = Layout::Make({{"layer.weight", {3}}}).value();
  EXPECT_EQ(UpdateShapeOf(*plan, layout)->length(), 4U);
}

TEST(PlanTest, WithoutMetricsTheirShareIsZero) {
  const Plan plan = Plan::Parse(SamplePlanWith("[metrics.loss]\nbound = 2.0", "")).value();
  EXPECT_EQ(plan.privacy.metric_share, 0);
}

// The sample as a plan of the unit customer, with one piece swapped.
std::string CustomerPlanWith(std::string_view what, std::string_view instead) {
  std::string text =
      SamplePlanWith("mode = \"store\"", "mode = \"customer\"\nsampling_rate = 0.1\ncustomers_per_store = 2000");
  const auto swap = [&text](std::string_view from, std::string_view to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  swap("optimizer = \"adam\"", "optimizer = \"sgd\"");
  swap("epochs = 3\nbatch_size = 32", "local_steps = 2");
  if (!what.empty()) swap(what, instead);
  return text;
}

TEST(CustomerPlanTest, SaysWhoIsDrawnAndWhatTheSumIsDividedBy) {
  const StatusOr<Plan> plan = Plan::Parse(CustomerPlanWith("", ""));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->privacy.mode, PrivacyMode::kCustomer);
  EXPECT_DOUBLE_EQ(plan->privacy.divisor(), 0.1 * 2000 * 40);
  EXPECT_EQ(plan->training.local_steps, 2U);
  std::vector<std::string> names;
  for (const MetricNeed& slot : MetricSlotsOf(*plan)) names.push_back(slot.name);
  EXPECT_THAT(names, ElementsAre("loss", "customers", "measured", "examples"));
}

TEST(CustomerPlanTest, LocalSgdHasStepsAndItsOwnHeadroom) {
  const StatusOr<Plan> plan =
      Plan::Parse(CustomerPlanWith("mode = \"customer\"", "mode = \"local-sgd\"\nsteps = 50\nupdate_norm_max = 3.0"));
  EXPECT_THAT(MessageOf(plan.status()), HasSubstr("local_steps"));  // That is the other mode's.
  std::string text = CustomerPlanWith("mode = \"customer\"", "mode = \"local-sgd\"\nsteps = 50\nupdate_norm_max = 3.0");
  text.replace(text.find("local_steps = 2"), 15, "");
  const StatusOr<Plan> fixed = Plan::Parse(text);
  ASSERT_TRUE(fixed.ok()) << fixed.status();
  EXPECT_EQ(fixed->privacy.steps, 50U);
  EXPECT_EQ(fixed->privacy.vector_norm(), 3.0);
  EXPECT_EQ(fixed->privacy.unit(), PrivacyUnit::kCustomer);
}

TEST(CustomerPlanTest, AdaptiveClippingAddsOneSlot) {
  const StatusOr<Plan> plan =
      Plan::Parse(SamplePlanWith("[cohort]", "[privacy.adaptive_clip]\nquantile = 0.6\n[cohort]"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->privacy.adaptive_clip->quantile, 0.6);
  EXPECT_EQ(MetricSlotsOf(*plan).back().name, "unclipped");
  EXPECT_EQ(WithClipNorm(*plan, 0.25).privacy.clip_norm, 0.25);
  EXPECT_EQ(WithClipNorm(*plan, 0).privacy.clip_norm, 0.5);
  EXPECT_EQ(WithClipNorm(Plan::Parse(SamplePlan()).value(), 0.25).privacy.clip_norm, 0.5);  // It doesn't adapt.
}

class SpoiltCustomerPlanTest : public ::testing::TestWithParam<Spoilt> {};

TEST_P(SpoiltCustomerPlanTest, IsRefusedNamingTheKey) {
  EXPECT_THAT(MistakesOf(CustomerPlanWith(GetParam().what, GetParam().instead)), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , SpoiltCustomerPlanTest,
    ::testing::Values(
        Spoilt{"NobodysColumns", "household = {type = \"customer\"}", "", "no column of the type customer"},
        Spoilt{"RateZero", "sampling_rate = 0.1", "sampling_rate = 0.0", "over 0 and at most 1"},
        Spoilt{"RateOverOne", "sampling_rate = 0.1", "sampling_rate = 1.5", "over 0 and at most 1"},
        Spoilt{"NoRate", "sampling_rate = 0.1\n", "", "privacy.sampling_rate"},
        Spoilt{"NoCustomersPlanned", "customers_per_store = 2000", "", "privacy.customers_per_store"},
        Spoilt{"NegativeClip", "clip_norm = 0.5", "clip_norm = -0.5", "clip_norm"},
        Spoilt{"ZeroClip", "clip_norm = 0.5", "clip_norm = 0.0", "clip_norm"},
        Spoilt{"DeltaForAWholeCustomer", "delta = 1e-6", "delta = 1e-4", "with 80000 customers it must be at most"},
        Spoilt{"Adam", "\"sgd\"", "\"adam\"", "must use the optimizer sgd"},
        Spoilt{"Momentum", "local_steps = 2", "momentum = 0.9", "every customer begins anew"},
        Spoilt{"Epochs", "local_steps = 2", "epochs = 2", "epochs"},
        Spoilt{"Steps", "delta = 1e-6", "delta = 1e-6\nsteps = 5", "steps"},
        Spoilt{"MetricCalledCustomers", "[metrics.loss]", "[metrics.customers]", "Aisle itself uses"},
        Spoilt{"QuantileOfAll", "[cohort]", "[privacy.adaptive_clip]\nquantile = 1.0\n[cohort]", "quantile"}),
    [](const auto& test) { return test.param.name; });

// A customer's share of time and memory: what the plan says, or a part of what the whole task has.
TEST(TaskLimitsTest, OneCustomerGetsAPart) {
  const TaskLimits limits{.memory = uint64_t{1} << 30, .cpu_time = absl::Minutes(10)};
  EXPECT_EQ(limits.OneCustomersTime(), absl::Seconds(10));
  EXPECT_EQ(limits.OneCustomersMemory(), uint64_t{208} << 20);
  EXPECT_EQ(TaskLimits{.cpu_time = absl::Seconds(20)}.OneCustomersTime(), absl::Seconds(1));
  EXPECT_EQ(TaskLimits{.memory = kPlanMemoryMin}.OneCustomersMemory(), uint64_t{16} << 20);
  const auto parsed = [](const char* line) { return Plan::Parse(SamplePlanWith("cpu_time = \"5m\"", line)); };
  EXPECT_EQ(parsed("cpu_time = \"5m\"")->limits.OneCustomersTime(), absl::Seconds(5));
  EXPECT_EQ(parsed("cpu_time = \"5m\"\ncustomer_time = \"30s\"")->limits.OneCustomersTime(), absl::Seconds(30));
  EXPECT_THAT(MessageOf(parsed("cpu_time = \"5m\"\ncustomer_time = \"6m\"").status()), HasSubstr("for all"));
}

TEST(ColumnTypeTest, NamesGoBothWays) {
  for (const ColumnType type : {ColumnType::kInt64, ColumnType::kDouble, ColumnType::kString, ColumnType::kTimestamp,
                                ColumnType::kCustomer, ColumnType::kBytes}) {
    EXPECT_EQ(ColumnTypeOf(NameOf(type)), type);
  }
  EXPECT_EQ(ColumnTypeOf("float"), std::nullopt);
}

}  // namespace
}  // namespace aisle
