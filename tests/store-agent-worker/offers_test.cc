// The shipped offers plan, as its files are: on made-up rows, on rows at the edge, and with answers one can work out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "plans/initial_weights.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

constexpr int64_t kNull = std::numeric_limits<int64_t>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kNobody = -1;
constexpr int64_t kDay = 86400;
constexpr int64_t kMonday = 1704103200;  // 2024-01-01 10:00 UTC.
constexpr int64_t kMilk = 2;
constexpr int64_t kSoup = 9;
constexpr int64_t kVegetables = 23;  // Among the five that everybody buys most, but not the first.

struct Line {
  int64_t household = 0;
  int64_t sold_at = kMonday;
  int64_t category = kMilk;
  double amount = 2.5;
};

std::string Raw(const std::vector<Line>& lines, int64_t Line::*field) {
  std::string bytes;
  for (const Line& line : lines) bytes.append(reinterpret_cast<const char*>(&(line.*field)), 8);
  return bytes;
}

v1::TableData Table(const std::vector<Line>& lines) {
  v1::TableData table;
  table.set_name("lines");
  table.set_rows(lines.size());
  const auto add = [&](const char* name) {
    v1::ColumnData* column = table.add_columns();
    column->set_name(name);
    return column;
  };
  add("household")->set_int64_values(Raw(lines, &Line::household));
  add("sold_at")->set_int64_values(Raw(lines, &Line::sold_at));
  add("category")->set_int64_values(Raw(lines, &Line::category));
  std::string amounts;
  for (const Line& line : lines) amounts.append(reinterpret_cast<const char*>(&line.amount), 8);
  add("amount")->set_double_values(amounts);
  return table;
}

struct OffersPlan {
  std::string bundle;
  std::string weights;  // The initial ones: the last layer is zero.
  std::string awake;    // As if after training: every feature has a say.
};

const OffersPlan& Offers() {
  static const OffersPlan offers = [] {
    PlanFiles files = ReadPlanFiles(AISLE_OFFERS_PLAN).value();
    const Plan plan = Plan::Parse(files.plan_toml).value();
    Weights weights = MakeInitialWeights(plan).value();
    OffersPlan made;
    made.weights = EncodeWeights(weights);
    for (size_t i = 0; i < weights.values.size(); ++i) weights.values[i] += 0.3F * std::sin(static_cast<float>(i));
    made.awake = EncodeWeights(weights);
    made.bundle = MakePlanBundle(std::move(files), made.weights).value().Encode();
    return made;
  }();
  return offers;
}

WorkerOutcome Evaluate(const std::vector<Line>& lines, const std::string& weights) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::EvaluateTask& task = *request.mutable_evaluate();
  task.set_bundle(Offers().bundle);
  task.set_weights(weights);
  *task.add_tables() = Table(lines);
  task.set_split(v1::EvaluateTask::SPLIT_ALL);
  return RunOnShared(request);
}

using Sums = std::map<std::string, double>;

Sums SumsOf(const std::vector<Line>& lines, const std::string& weights = Offers().awake) {
  const WorkerOutcome outcome = Evaluate(lines, weights);
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
  if (!outcome.ok()) return {};
  const auto& metrics = outcome.reply.evaluated().metrics();
  return {metrics.begin(), metrics.end()};
}

// A household's visits, each of one category.
std::vector<Line> Visits(int64_t household, const std::vector<int64_t>& categories, int64_t days_between = 3) {
  std::vector<Line> lines;
  for (size_t i = 0; i < categories.size(); ++i) {
    lines.push_back({.household = household,
                     .sold_at = kMonday + static_cast<int64_t>(i) * days_between * kDay,
                     .category = categories[i]});
  }
  return lines;
}

TEST(OffersPlanTest, PassesItsOwnDryRun) {
  v1::WorkerRequest request;
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(Offers().bundle);
  task.set_weights(Offers().weights);
  for (const std::string& seed : {Seed(1), Seed(2), Seed(3)}) {
    task.set_seed(seed);
    const WorkerOutcome outcome = RunOnShared(request);
    ASSERT_TRUE(outcome.ok()) << outcome.detail;
    EXPECT_GT(outcome.reply.inspected().trainable(), 5000U);
    EXPECT_LT(outcome.reply.inspected().trainable(), 30000U);
  }
}

TEST(OffersPlanTest, ADayOfAHouseholdIsOneExample) {
  const WorkerOutcome outcome = Evaluate({{.household = 7},
                                          {.household = 7, .sold_at = kMonday + 3600, .category = kSoup},
                                          {.household = 8},
                                          {.household = 7, .sold_at = kMonday + kDay}},
                                         Offers().weights);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(outcome.reply.evaluated().examples(), 3U);
}

TEST(OffersPlanTest, HabitsAreOfEarlierDaysAlone) {
  // The most frequent category before is right on the second visit only. On the third, what everybody buys fills up.
  const Sums sums = SumsOf(Visits(7, {kSoup, kSoup, kVegetables}));
  EXPECT_DOUBLE_EQ(sums.at("count"), 3);
  EXPECT_DOUBLE_EQ(sums.at("habit_top1"), 1);
  EXPECT_DOUBLE_EQ(sums.at("habit_top5"), 2);
  EXPECT_DOUBLE_EQ(sums.at("popular_top1"), 0);
  EXPECT_DOUBLE_EQ(sums.at("popular_top5"), 1);
}

TEST(OffersPlanTest, StartsFromTheHouseholdsHabits) {
  const Sums sums = SumsOf(Visits(7, {kSoup, kSoup, kMilk, kSoup}), Offers().weights);
  EXPECT_NEAR(sums.at("loss"), sums.at("habit_loss"), 1e-4);  // The network's last layer begins at zero.
  EXPECT_LT(sums.at("habit_loss"), sums.at("popular_loss"));
}

// What the unit "customer" rests on: without one household, everything said of the others is the same.
TEST(OffersPlanTest, NoHouseholdIsPartOfAnothersExamples) {
  const std::vector<Line> one = Visits(7, {kSoup, kSoup, kMilk, 36, 1, kSoup});
  // Begins earlier, ends later, and its pseudonyms lie on both sides: nothing of it may show.
  std::vector<Line> other = Visits(3, {kMilk, kSoup, 4, 4, 4, 4, 4, 4, 4}, 9);
  for (const Line& line : Visits(9, {5, 5, 5}, 1)) other.push_back(line);
  for (Line& line : other) line.sold_at -= 11 * kDay;
  std::vector<Line> both;
  for (size_t i = 0; i < std::max(one.size(), other.size()); ++i) {
    if (i < other.size()) both.push_back(other[i]);
    if (i < one.size()) both.push_back(one[i]);
  }
  const Sums together = SumsOf(both);
  const Sums first = SumsOf(one);
  const Sums second = SumsOf(other);
  for (const auto& [name, sum] : together) EXPECT_NEAR(sum, first.at(name) + second.at(name), 1e-4) << name;
}

TEST(OffersPlanTest, RowsOfNobodyAreNobodysHistory) {
  std::vector<Line> lines = Visits(7, {kSoup, kSoup, kMilk});
  const Sums without = SumsOf(lines);
  for (const Line& line : Visits(kNobody, {4, 4, 4, 4})) lines.push_back(line);
  EXPECT_EQ(SumsOf(lines), without);
}

TEST(OffersPlanTest, NullsAndRowsOutOfRangeAreLeftOut) {
  std::vector<Line> lines = Visits(7, {kSoup, kSoup, kMilk});
  const Sums without = SumsOf(lines);
  lines.push_back({.household = 7, .sold_at = kNull});
  lines.push_back({.household = 7, .sold_at = std::numeric_limits<int64_t>::max()});
  lines.push_back({.household = kNull});
  for (const int64_t category : {kNull, int64_t{0}, int64_t{37}, std::numeric_limits<int64_t>::max()}) {
    lines.push_back({.household = 7, .category = category, .amount = 0});
  }
  EXPECT_EQ(SumsOf(lines), without);
  for (const double amount : {std::nan(""), kInfinity, -kInfinity, -5.0, 1e300}) {
    lines.push_back({.household = 7, .sold_at = kMonday + 30 * kDay, .category = kNull, .amount = amount});
    for (const auto& [name, sum] : SumsOf(lines)) EXPECT_TRUE(std::isfinite(sum)) << name << " with " << amount;
  }
}

TEST(OffersPlanTest, OneRowIsEnough) {
  const Sums sums = SumsOf({{.household = 7}}, Offers().weights);
  EXPECT_DOUBLE_EQ(sums.at("count"), 1);
  EXPECT_NEAR(sums.at("loss"), sums.at("popular_loss"), 1e-4);  // Nothing is known of the household yet.
}

TEST(OffersPlanTest, NoRowsMakeNoExamplesButNoCrash) {
  for (const std::vector<Line>& lines : {std::vector<Line>{}, Visits(kNobody, {kMilk, kSoup})}) {
    const WorkerOutcome outcome = Evaluate(lines, Offers().weights);
    EXPECT_TRUE(outcome.worker_survives()) << outcome.detail;
    if (!outcome.ok()) {
      EXPECT_THAT(outcome.detail, ::testing::HasSubstr("no examples"));
    }
  }
}

TEST(OffersPlanTest, AStoreMayTrainAModelOfItsOwn) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(Offers().bundle);
  task.set_weights(Offers().weights);
  *task.add_tables() = Table(Visits(7, std::vector<int64_t>(60, kSoup)));
  task.set_seed(Seed());
  task.set_threads(1);
  task.set_keep_weights(true);
  task.set_passes(5);
  const WorkerOutcome outcome = RunOnShared(request);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_LT(outcome.reply.trained().loss_after(), outcome.reply.trained().loss_before());
  EXPECT_NE(outcome.reply.trained().trained_weights(), Offers().weights);
  EXPECT_TRUE(outcome.reply.trained().update().empty());
}

TEST(OffersPlanTest, AnyRowsWithinTheDeclaredRangesWillDo) {
  std::vector<Line> lines;
  for (int64_t i = 0; i < 2000; ++i) {  // Multiplicative congruences: spread, and the same every time.
    lines.push_back({.household = i * 7919 % 41 - 1,
                     .sold_at = 1704067200 + i * 1'000'003 % 31'622'399,
                     .category = 1 + i * 31 % 36,
                     .amount = static_cast<double>(i * 613 % 4000) / 100});
  }
  for (const auto& [name, sum] : SumsOf(lines)) EXPECT_TRUE(std::isfinite(sum)) << name;
}

}  // namespace
}  // namespace aisle
