// Every way to take customers' gradients: equal to the loop, exact where it says so, and never moved by who else is
// there. Linked with LibTorch's libraries, so the worker's own bits are tried without a process between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/random.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"
#include "store-agent/worker/engine.h"
#include "tests/store-agent-worker/ways_trial.h"

namespace aisle {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr double kDelta = 65536;
constexpr double kBound = 100;  // Of the one slot, which counts customers.

struct Grid {
  UpdateShape shape;
  Quantizer quantizer;
};

Grid GridOf(size_t parameters, double clip) {
  const UpdateShape shape =
      UpdateShape::Make(
          {.parameter_count = parameters, .metric_bounds = {kBound}, .clip_norm = clip, .metric_share = 0.1})
          .value();
  return {shape, Quantizer::Make({.clip_norm = clip, .length = shape.length(), .addends_max = 2}).value()};
}

double Norm(std::span<const int32_t> values) {
  double squares = 0;
  for (const int32_t value : values) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

std::vector<int32_t> Minus(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  std::vector<int32_t> difference(a.size());
  std::ranges::transform(a, b, difference.begin(), std::minus<>());
  return difference;
}

// A plan on a store of customers, and the ways through it.
class Trial {
 public:
  Trial(const std::string& name, WayStore store)
      : store_(std::move(store)),
        plan_(PlanOf(WayPlanNamed(name))),
        program_(ProgramOf(WayPlanNamed(name), plan_)),
        examples_(store_.Prepare(*program_, plan_)),
        units_(store_.Group()) {}

  StatusOr<std::unique_ptr<UnitGradients>> Make(UnitWay way) {
    return TryUnitGradients(*program_, plan_, way, [this](size_t begin, std::span<const int64_t> totals) {
      totals_.resize(std::max(totals_.size(), begin + totals.size()));
      std::ranges::copy(totals, totals_.begin() + static_cast<std::ptrdiff_t>(begin));
    });
  }
  std::vector<int32_t> Sum(UnitGradients& way, std::span<const size_t> drawn, double factor = -1) {
    const auto [shape, quantizer] = GridOf(program_->trainable_count(), clip);
    UnitSum sum(shape, quantizer);
    totals_.clear();
    const UnitWork work{.program = *program_, .examples = examples_, .units = units_, .drawn = drawn, .factor = factor};
    program_->SetTraining(true);
    const Status added = way.AddAll(
        work, [](size_t, double) -> StatusOr<std::vector<double>> { return std::vector<double>{1.0}; }, sum);
    EXPECT_TRUE(added.ok()) << MessageOf(added);
    const auto taken = sum.Take();
    const std::span<const int32_t> values = taken.Reveal();
    return {values.begin(), values.end()};
  }
  std::vector<int32_t> Sum(UnitGradients& way) { return Sum(way, Everybody()); }
  std::vector<size_t> Everybody() const {
    std::vector<size_t> all(units_.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  std::vector<size_t> EverybodyBut(size_t unit) const {
    std::vector<size_t> others = Everybody();
    std::erase(others, unit);
    return others;
  }

  const std::vector<int64_t>& totals() const { return totals_; }  // Of the last sum by outer products.
  Program& program() { return *program_; }
  const Plan& plan() const { return plan_; }

  double clip = 1.0;

 private:
  WayStore store_;
  Plan plan_;
  std::unique_ptr<Program> program_;
  Examples examples_;
  Units units_;
  std::vector<int64_t> totals_;
};

std::vector<size_t> MixedSizes() { return {1, 2, 1, 5, 1, 0, 3, 17, 1, 60, 1, 1, 4, 1, 1, 2, 1, 30, 1, 1, 1, 7, 1}; }

struct WayCase {
  std::string plan;
  UnitWay way;
};
void PrintTo(const WayCase& test, std::ostream* out) { *out << test.plan << " by " << ToString(test.way); }

class WaysTest : public ::testing::TestWithParam<WayCase> {
 protected:
  static void SetUpTestSuite() { WarmUpEngine(); }
};

TEST_P(WaysTest, EqualsTheLoop) {
  Trial trial(GetParam().plan, MakeStore(MixedSizes()));
  auto way = trial.Make(GetParam().way);
  ASSERT_TRUE(way.ok()) << MessageOf(way.status());
  const auto loop = trial.Make(UnitWay::kLoop).value();
  const auto units = static_cast<double>(trial.Everybody().size());
  for (const double clip : {0.2, 1.0, 8.0}) {  // Nearly all clipped; some; none.
    trial.clip = clip;
    for (const double factor : {-1.0, 0.3}) {
      const std::vector<int32_t> expected = trial.Sum(*loop, trial.Everybody(), factor);
      const std::vector<int32_t> found = trial.Sum(**way, trial.Everybody(), factor);
      // The loop cuts each unit's coordinates toward zero, at most 1 each; clipping keeps 0.2 % of room.
      const double cut = units * std::sqrt(static_cast<double>(expected.size()));
      EXPECT_LE(Norm(Minus(found, expected)), 0.005 * Norm(expected) + cut) << clip << " " << factor;
      EXPECT_GT(Norm(expected), 10 * cut) << clip;  // Else this would say nothing.
      EXPECT_NEAR(found.back(), expected.back(), 1);
    }
  }
}

// Coordinates add up to far more than 32 bits on a finer grid.
TEST_P(WaysTest, ACrowdThatPullsOneWayEqualsTheLoop) {
  WayStore store;
  store.customers.assign(300, {WayRow{.seed = 5, .label = 1}});
  Trial trial(GetParam().plan, store);
  trial.clip = 0.2;
  const std::vector<int32_t> expected = trial.Sum(*trial.Make(UnitWay::kLoop).value());
  const std::vector<int32_t> found = trial.Sum(*trial.Make(GetParam().way).value());
  EXPECT_GT(Norm(expected), 250 * kDelta);
  EXPECT_LE(Norm(Minus(found, expected)),
            0.005 * Norm(expected) + 300 * std::sqrt(static_cast<double>(expected.size())));
}

// The sensitivity, with everybody else in other seats and other runs than before: one customer moves the sum by his own
// vector and nothing else.
TEST_P(WaysTest, OneCustomerMovesTheSumByHisOwnVectorOnly) {
  Trial trial(GetParam().plan, MakeStore(MixedSizes()));
  const auto way = trial.Make(GetParam().way).value();
  const std::vector<int32_t> all = trial.Sum(*way);
  const std::vector<int64_t> all_totals = trial.totals();
  for (const size_t unit : {0U, 3U, 5U, 9U, 22U}) {
    const std::vector<int32_t> others = trial.Sum(*way, trial.EverybodyBut(unit));
    const std::vector<int64_t> other_totals = trial.totals();
    const std::vector<int32_t> alone = trial.Sum(*way, std::vector<size_t>{unit});
    EXPECT_LE(Norm(Minus(all, others)), kDelta);
    ASSERT_EQ(all_totals.size(), GetParam().way == UnitWay::kOuterProducts ? alone.size() - 1 : 0);
    for (size_t i = 0; i < all_totals.size(); ++i) {
      ASSERT_EQ(all_totals[i] - other_totals[i], trial.totals()[i]) << unit << " at " << i;
    }
    if (all_totals.empty()) {
      EXPECT_THAT(Minus(all, others), ElementsAreArray(alone)) << unit;
    }
  }
}

TEST_P(WaysTest, OrderAndSeatsDoNotMatter) {
  Trial trial(GetParam().plan, MakeStore(std::vector<size_t>(250, 1)));
  const auto way = trial.Make(GetParam().way).value();
  std::vector<size_t> drawn = trial.Everybody();
  const std::vector<int32_t> expected = trial.Sum(*way, drawn);
  const std::vector<int64_t> expected_totals = trial.totals();
  std::rotate(drawn.begin(), drawn.begin() + 113, drawn.end());
  std::swap(drawn[0], drawn[7]);
  EXPECT_THAT(trial.Sum(*way, drawn), ElementsAreArray(expected));
  EXPECT_THAT(trial.totals(), ElementsAreArray(expected_totals));
}

// Rows on which the program raises, and such as give no numbers.
TEST_P(WaysTest, AFailingCustomerAddsNothingAndMovesNobody) {
  const double infinity = std::numeric_limits<double>::infinity();
  const WayRow raises{.seed = 3, .label = 99};
  const bool reads_x = GetParam().plan != "gru" && GetParam().plan != "embedding";
  const WayRow not_a_number{.seed = 4, .scale = reads_x ? infinity : 1, .label = reads_x ? 1 : -7};
  for (const WayRow& bad : {raises, not_a_number}) {
    WayStore store = MakeStore(std::vector<size_t>(20, 2));
    const WayStore good = store;
    store.customers.insert(store.customers.begin() + 4, {WayRow{.seed = 9}, bad});
    store.customers.push_back({bad});
    Trial with(GetParam().plan, store);
    Trial without(GetParam().plan, good);
    const auto way = with.Make(GetParam().way).value();
    const auto other_way = without.Make(GetParam().way).value();
    EXPECT_THAT(with.Sum(*way), ElementsAreArray(without.Sum(*other_way)));
    EXPECT_THAT(with.totals(), ElementsAreArray(without.totals()));
    EXPECT_THAT(with.Sum(*way, std::vector<size_t>{4}), Each(0));
    EXPECT_THAT(with.Sum(*way, std::vector<size_t>{21}), Each(0));
  }
}

TEST_P(WaysTest, HugeAndTinyCustomersStayWithinTheBound) {
  for (const double scale : {1e30, 1e6, 1e-6, 1e-38, 1e-44, 0.0}) {
    WayStore store = MakeStore({1, 1, 1});
    store.customers.push_back({{.seed = 77, .scale = scale}, {.seed = 78, .scale = -scale}, {.seed = 79}});
    store.customers.push_back({{.seed = 80, .scale = scale, .label = 3}});
    Trial trial(GetParam().plan, store);
    const auto way = trial.Make(GetParam().way).value();
    const std::vector<int32_t> all = trial.Sum(*way);
    for (const size_t unit : {3U, 4U}) {
      EXPECT_LE(Norm(Minus(all, trial.Sum(*way, trial.EverybodyBut(unit)))), kDelta) << scale;
      EXPECT_LE(Norm(trial.Sum(*way, std::vector<size_t>{unit})), kDelta) << scale;
    }
  }
}

TEST_P(WaysTest, NobodyDrawnIsASumOfZero) {
  Trial trial(GetParam().plan, MakeStore({1, 2}));
  const auto way = trial.Make(GetParam().way).value();
  EXPECT_THAT(trial.Sum(*way, std::vector<size_t>{}), Each(0));
}

TEST_P(WaysTest, AStoppedSumLeavesNothingBehind) {
  Trial trial(GetParam().plan, MakeStore(std::vector<size_t>(250, 1)));
  const auto way = trial.Make(GetParam().way).value();
  const std::vector<int32_t> expected = trial.Sum(*way);
  const auto [shape, quantizer] = GridOf(trial.program().trainable_count(), 1);
  UnitSum sum(shape, quantizer);
  std::atomic<bool> stop = false;
  const WayStore store = MakeStore(std::vector<size_t>(250, 1));
  const Examples examples = store.Prepare(trial.program(), trial.plan());
  const Units units = store.Group();
  const std::vector<size_t> drawn = trial.Everybody();
  const UnitWork work{
      .program = trial.program(), .examples = examples, .units = units, .drawn = drawn, .factor = -1, .stop = &stop};
  const Status ended = way->AddAll(
      work,
      [&](size_t, double) -> StatusOr<std::vector<double>> {
        stop = true;
        return std::vector<double>{1.0};
      },
      sum);
  EXPECT_EQ(ended.code(), StatusCode::kCancelled);
  EXPECT_THAT(trial.Sum(*way), ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(
    , WaysTest,
    ::testing::Values(WayCase{"linear", UnitWay::kLoop}, WayCase{"linear", UnitWay::kVmap},
                      WayCase{"linear", UnitWay::kOuterProducts}, WayCase{"mlp", UnitWay::kVmap},
                      WayCase{"mlp", UnitWay::kOuterProducts}, WayCase{"crowd", UnitWay::kOuterProducts},
                      WayCase{"addmm", UnitWay::kOuterProducts}, WayCase{"tied", UnitWay::kOuterProducts},
                      WayCase{"embedding", UnitWay::kVmap}, WayCase{"embedding", UnitWay::kOuterProducts},
                      WayCase{"gru", UnitWay::kVmap}, WayCase{"gru", UnitWay::kOuterProducts},
                      WayCase{"conv", UnitWay::kVmap}),
    [](const auto& test) {
      std::string name = test.param.plan + "By" + std::string(ToString(test.param.way));
      std::erase(name, ' ');
      return name;
    });

class ChooseTest : public ::testing::TestWithParam<WayCase> {
 protected:
  static void SetUpTestSuite() { WarmUpEngine(); }
};

TEST_P(ChooseTest, TakesTheFastestWayThatIsRight) {
  const Plan plan = PlanOf(WayPlanNamed(GetParam().plan));
  const auto program = ProgramOf(WayPlanNamed(GetParam().plan), plan);
  const std::vector<float> before = program->GetWeights().values;
  const ChosenGradients chosen = ChooseUnitGradients(*program, plan);
  EXPECT_EQ(ToString(chosen.way), ToString(GetParam().way)) << chosen.reason;
  EXPECT_EQ(chosen.reason.empty(), GetParam().way == UnitWay::kOuterProducts);
  ASSERT_NE(chosen.gradients, nullptr);
  EXPECT_EQ(program->GetWeights().values, before);
}

// "in-place" overwrites the output of its layer, so its gradient there isn't the layer's. "mixing" looks at other
// examples, "dropout" draws random numbers, "looks" decides by a number.
INSTANTIATE_TEST_SUITE_P(, ChooseTest,
                         ::testing::Values(WayCase{"linear", UnitWay::kOuterProducts},
                                           WayCase{"mlp", UnitWay::kOuterProducts},
                                           WayCase{"addmm", UnitWay::kOuterProducts},
                                           WayCase{"tied", UnitWay::kOuterProducts},
                                           WayCase{"embedding", UnitWay::kOuterProducts},
                                           WayCase{"gru", UnitWay::kOuterProducts}, WayCase{"conv", UnitWay::kVmap},
                                           WayCase{"in-place", UnitWay::kVmap}, WayCase{"mixing", UnitWay::kLoop},
                                           WayCase{"dropout", UnitWay::kLoop}, WayCase{"looks", UnitWay::kLoop}),
                         [](const auto& test) {
                           std::string name = test.param.plan;
                           std::erase(name, '-');
                           return name;
                         });

TEST(ChooseReasonTest, SaysWhyAFasterWayIsNotTaken) {
  WarmUpEngine();
  const Plan plan = PlanOf(WayPlanNamed("dropout"));
  const auto program = ProgramOf(WayPlanNamed("dropout"), plan);
  EXPECT_THAT(ChooseUnitGradients(*program, plan).reason, HasSubstr("random numbers"));
}

// The shipped plan: its layers by rows, its `reaction` written out.
TEST(ChooseReasonTest, TheOffersPlanGoesByOuterProducts) {
  WarmUpEngine();
  const PlanFiles files = ReadPlanFiles(AISLE_OFFERS_PLAN).value();
  const Plan plan = Plan::Parse(files.plan_toml).value();
  const auto program = Program::FromSource(files.program, plan.parameters).value();
  ASSERT_TRUE(program->SetWeights(MakeInitialWeights(plan).value()).ok());
  const ChosenGradients chosen = ChooseUnitGradients(*program, plan);
  EXPECT_EQ(chosen.way, UnitWay::kOuterProducts) << chosen.reason;
}

}  // namespace
}  // namespace aisle
