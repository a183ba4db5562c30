// Programs that one customer's rows drive over the caps, into a crash or round for ever: the sum is that of the others,
// bit for bit, so that customer has moved it by nothing. On real workers, since these end them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "store-agent/supervisor/customer_attempts.h"
#include "tests/falsifier/pull_plan.h"

namespace aisle {
namespace {

using ::testing::Each;
using ::testing::Not;

constexpr int64_t kCulprit = 7;
constexpr double kMagic = 99;  // Nobody else pulls so hard.

// Nobody's step takes a tenth of it, but for those that never end.
constexpr absl::Duration kSoon = absl::Milliseconds(400);

TaskLimits Limits(absl::Duration customer_time = kSoon) {
  return {.memory = uint64_t{1} << 30,
          .cpu_time = absl::Minutes(2),
          .wall_time = absl::Minutes(5),
          .customer_time = customer_time};
}

std::vector<Pull> Others() {
  std::vector<Pull> rows;
  for (int64_t who = 1; who <= 20; ++who) {
    for (int64_t i = 0; i <= who % 3; ++i) {
      rows.push_back({who, (who + i) % 4, std::sin(static_cast<double>(11 * who + i))});
    }
  }
  return Without(rows, kCulprit);
}

std::vector<Pull> WithCulprit() {
  std::vector<Pull> rows = Others();
  rows.push_back({kCulprit, 1, 0.5});
  rows.push_back({kCulprit, 2, kMagic});
  return rows;
}

// As an agent runs it: a worker process, and another one whenever it dies.
CustomerAttempts RunOnProcess(v1::WorkerRequest& request, const TaskLimits& limits = Limits()) {
  static std::unique_ptr<WorkerProcess> worker;
  return RunWithoutWhoeverBreaksIt(worker, AISLE_WORKER_PROGRAM, request, limits, {});
}

struct Broken {
  const char* name;
  PullPlan plan;
  size_t left_out = 0;  // After its worker died; else the worker itself copes.
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class BrokenOffTest : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenOffTest, TheSumIsThatOfTheOthers) {
  const PullWorker plan(GetParam().plan);
  v1::WorkerRequest with = plan.Request(WithCulprit());
  v1::WorkerRequest without = plan.Request(Others());
  // Who ends by memory has the time for it.
  const TaskLimits limits = Limits(GetParam().left_out > 0 ? kSoon : absl::Minutes(1));
  const CustomerAttempts broken = RunOnProcess(with, limits);
  const CustomerAttempts others = RunOnProcess(without, limits);
  ASSERT_TRUE(broken.outcome.ok()) << NameOf(broken.outcome.end) << ": " << broken.outcome.detail;
  ASSERT_TRUE(others.outcome.ok()) << others.outcome.detail;
  EXPECT_EQ(others.left_out, 0U);
  EXPECT_EQ(broken.left_out, GetParam().left_out);
  const std::vector<int32_t> sum = UpdateOf(others.outcome.reply);
  EXPECT_THAT(sum, Not(Each(0)));
  EXPECT_EQ(UpdateOf(broken.outcome.reply), sum);
}

PullPlan WithLoss(std::string loss) {
  PullPlan plan;
  plan.loss = std::move(loss);
  return plan;
}
PullPlan WithPrepare(std::string prepare) {
  PullPlan plan;
  plan.prepare = std::move(prepare);
  return plan;
}
PullPlan WithMetrics(std::string metrics) {
  PullPlan plan;
  plan.metrics = std::move(metrics);
  plan.parameters = "[metrics.pull]\nbound = 1.0\n";
  return plan;
}

// All of these run customer by customer, for they look at numbers.
const Broken kLoopsForEver{"LoopsForEver", WithLoss(R"(
    while float(batch["pull"].max()) > 90.0:
        pass
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))"),
                           1};
const Broken kCountsForEver{"CountsForEver", WithLoss(R"(
    count = 0
    hard = float(batch["pull"].max()) > 90.0
    while hard and count >= 0:
        count = (count + 1) % 1000
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))"),
                            1};
const Broken kPreparesForEver{"PreparesForEver", WithPrepare(R"(
    pulls = tables["pulls"]
    while float(pulls["pull"].max()) > 90.0:
        pass
    return {"unit": pulls["who"], "time": pulls["axis"], "axis": pulls["axis"], "pull": pulls["pull"].to(6)})"),
                              1};
const Broken kMeasuresForEver{"MeasuresForEver", WithMetrics(R"(
    while float(batch["pull"].max()) > 90.0:
        pass
    return {"count": torch.ones_like(batch["pull"]).sum(), "pull": batch["pull"].sum()})"),
                              1};
const Broken kTakesSteps{"LoopsForEverInItsThirdStep",
                         [] {
                           PullPlan plan = WithLoss(R"(
    while float(batch["pull"].max()) > 90.0 and float(self.w[2]) > 90.0:
        pass
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))");
                           plan.training = "local_steps = 5";
                           return plan;
                         }(),
                         1};
// The remainder of the smallest whole number by -1 is more than this processor can say.
const Broken kDiesOfArithmetic{"DiesOfArithmetic", WithLoss(R"(
    sign = 1
    if float(batch["pull"].max()) > 90.0:
        sign = -1
    lowest = -9223372036854775807 - 1
    left = lowest // sign
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]) + 0.0 * float(left))"),
                               1};
// And this many at once: who it was isn't known until they are tried alone.
const Broken kDiesAmongOthers{"DiesAmongOthers", WithLoss(R"(
    sign = 1 - 2 * (batch["pull"] > 90.0).to(4)
    left = torch.div(torch.full_like(sign, -9223372036854775807) - 1, sign, rounding_mode="floor")
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]) + 0.0 * (left == 5).to(6))"),
                              1};
const Broken kHoardsTensors{"HoardsTensors", WithLoss(R"(
    hoard = [batch["pull"]]
    while float(batch["pull"].max()) > 90.0:
        hoard.append(torch.ones([1000000]))
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]) + 0.0 * float(len(hoard)))")};
const Broken kPreparesHugeExamples{"PreparesHugeExamples", WithPrepare(R"(
    pulls = tables["pulls"]
    copies = 1
    if float(pulls["pull"].max()) > 90.0:
        copies = 20000000
    n = pulls["who"].size(0) * copies
    return {"unit": pulls["who"].repeat([copies]), "time": pulls["axis"].repeat([copies]),
            "axis": pulls["axis"].repeat([copies]), "pull": pulls["pull"].to(6).repeat([copies])})")};
const Broken kThrows{"Throws", WithLoss(R"(
    assert float(batch["pull"].max()) < 90.0, "too hard"
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))")};

INSTANTIATE_TEST_SUITE_P(, BrokenOffTest,
                         ::testing::Values(kLoopsForEver, kCountsForEver, kPreparesForEver, kMeasuresForEver,
                                           kTakesSteps, kDiesOfArithmetic, kDiesAmongOthers, kHoardsTensors,
                                           kPreparesHugeExamples, kThrows),
                         [](const auto& test) { return std::string(test.param.name); });

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(BrokenOffByMemoryTest, ListsWithoutEndMoveNobodyElse) {
  const PullWorker plan(WithLoss(R"(
    hoard = [1.0, 2.0]
    while float(batch["pull"].max()) > 90.0:
        hoard = hoard + hoard
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]) + 0.0 * float(len(hoard)))"));
  v1::WorkerRequest with = plan.Request(WithCulprit());
  v1::WorkerRequest without = plan.Request(Others());
  const CustomerAttempts broken = RunOnProcess(with);
  const CustomerAttempts others = RunOnProcess(without);
  ASSERT_TRUE(broken.outcome.ok() && others.outcome.ok()) << broken.outcome.detail << others.outcome.detail;
  EXPECT_EQ(UpdateOf(broken.outcome.reply), UpdateOf(others.outcome.reply));
}
#endif

// Whoever breaks it, there may be others who do.
TEST(SeveralBreakTest, EachIsLeftOut) {
  const PullWorker plan(kLoopsForEver.plan);
  std::vector<Pull> rows = WithCulprit();
  rows.push_back({30, 0, kMagic});
  rows.push_back({31, 0, kMagic});
  v1::WorkerRequest with = plan.Request(rows);
  v1::WorkerRequest without = plan.Request(Others());
  const CustomerAttempts broken = RunOnProcess(with);
  ASSERT_TRUE(broken.outcome.ok()) << broken.outcome.detail;
  EXPECT_EQ(broken.left_out, 3U);
  EXPECT_EQ(UpdateOf(broken.outcome.reply), UpdateOf(RunOnProcess(without).outcome.reply));
}

// What others hold in memory makes no difference to whether a customer fits: here each one's step needs two thirds of
// what a customer may have, whoever comes before.
TEST(BrokenOffByMemoryTest, OthersHoardsAreNobodysLoss) {
  const auto plan_of = [](const char* bounds) {
    return WithLoss(fmt::format(R"(
    size = int(torch.clamp(batch["pull"].max() * 100.0, {}))
    taken = torch.ones([size, 500000])
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]) * taken[0, 0])",
                                bounds));
  };
  PullWorker fits(plan_of("1.0, 70.0"));      // At most 140 MB of the 208.
  PullWorker never(plan_of("120.0, 120.0"));  // 240 MB.
  PullWorker plain(plan_of("1.0, 1.0"));
  EXPECT_EQ(fits.Update(Others()), plain.Update(Others()));
  EXPECT_THAT(never.Update(Others()), Each(0));
}

// Examples of ninety megabytes, where fifty are taken at a time; nobody notices where one part ends.
TEST(PartsTest, OneCustomerMovesTheSumByTheirOwnVector) {
  PullWorker worker(WithPrepare(R"(
    pulls = tables["pulls"]
    return {"unit": pulls["who"], "time": pulls["axis"], "axis": pulls["axis"], "pull": pulls["pull"].to(6),
            "wide": torch.ones([pulls["who"].size(0), 600000])})"));
  const std::vector<int32_t> all = worker.Update(Others());
  EXPECT_EQ(all, PullWorker({}).Update(Others()));
  for (const int64_t who : {1, 10, 20}) {
    const std::vector<int32_t> others = worker.Update(Without(Others(), who));
    const std::vector<int32_t> own = worker.Update(Only(Others(), who));
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], others[i] + own[i]) << who << ", coordinate " << i;
  }
}

std::set<uint32_t> Marked(const std::vector<v1::Mark>& marks, uint32_t step) {
  std::set<uint32_t> customers;
  for (const v1::Mark& mark : marks) {
    if (mark.step() == step) customers.insert(mark.customers().begin(), mark.customers().end());
  }
  return customers;
}

// Each way of taking gradients: who is left out adds nothing, who is tried alone adds the same, all are announced.
TEST(LeftOutTest, IsAsIfNotThereAndAloneIsAsAmongOthers) {
  PullPlan looking = kThrows.plan;
  PullPlan steps;
  steps.training = "local_steps = 3";
  for (const PullPlan& plan : {PullPlan(), looking, steps}) {
    PullWorker worker(plan);
    const std::vector<Pull> rows = Others();  // Customers 1 to 20 without 7, numbered from 0.
    std::vector<v1::Mark> marks;
    const std::vector<int32_t> all = worker.UpdateFor(worker.Request(rows), &marks);
    EXPECT_EQ(Marked(marks, 0).size(), 19U);
    EXPECT_EQ(marks.back().customers_size(), 0) << "nobody is to blame for what comes after";
    v1::WorkerRequest request = worker.Request(rows);
    request.mutable_train()->add_left_out()->set_customer(2);
    marks.clear();
    EXPECT_EQ(worker.UpdateFor(request, &marks), worker.Update(Without(rows, 3)));
    EXPECT_FALSE(Marked(marks, 0).contains(2));
    request = worker.Request(rows);
    for (uint32_t customer = 3; customer < 9; ++customer) request.mutable_train()->add_alone(customer);
    EXPECT_EQ(worker.UpdateFor(request), all);
  }
}

// Mode local-sgd: left out from a step on; the steps before are as they were.
TEST(LeftOutTest, FromAStepOn) {
  const PullPlan plan{.mode = "local-sgd", .training = "", .more_privacy = "steps = 4\nupdate_norm_max = 100.0"};
  PullWorker worker(plan);
  const std::vector<Pull> rows = Others();
  v1::WorkerRequest request = worker.Request(rows);
  v1::LeftOut& left_out = *request.mutable_train()->add_left_out();
  left_out.set_customer(2);
  EXPECT_EQ(worker.UpdateFor(request), worker.Update(Without(rows, 3))) << "everybody is drawn in every step";
  left_out.set_from_step(2);
  std::vector<v1::Mark> marks;
  const std::vector<int32_t> later = worker.UpdateFor(request, &marks);
  EXPECT_TRUE(Marked(marks, 1).contains(2));
  EXPECT_FALSE(Marked(marks, 2).contains(2));
  EXPECT_FALSE(Marked(marks, 3).contains(2));
  EXPECT_NE(later, worker.Update(rows));
  EXPECT_NE(later, worker.Update(Without(rows, 3)));
}

TEST(LeftOutTest, ACustomerWhoBreaksALaterStepIsInTheStepsBefore) {
  PullPlan plan{.mode = "local-sgd", .training = "", .more_privacy = "steps = 4\nupdate_norm_max = 100.0"};
  plan.loss = R"(
    while float(batch["pull"].max()) > 90.0 and float(self.w.abs().sum()) > 0.0:
        pass
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))";
  const PullWorker worker(plan);
  v1::WorkerRequest broken = worker.Request(WithCulprit());
  const CustomerAttempts attempts = RunOnProcess(broken);
  ASSERT_TRUE(attempts.outcome.ok()) << attempts.outcome.detail;
  ASSERT_EQ(broken.train().left_out_size(), 1);
  EXPECT_EQ(broken.train().left_out(0).customer(), 6U);
  EXPECT_EQ(broken.train().left_out(0).from_step(), 1U) << "weights are zero in the first";
}

}  // namespace
}  // namespace aisle
