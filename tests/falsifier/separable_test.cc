// Two stores that differ in one customer, through the worker without noise: the sums differ by that customer's own
// vector, exactly, and by at most Delta. So nothing of anybody is in anybody else's vector. No statistics are needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/falsifier/pull_plan.h"

namespace aisle {
namespace {

using ::testing::Each;

// A dozen customers of all kinds.
std::vector<Pull> Dozen() {
  std::vector<Pull> rows;
  for (int64_t who = 0; who < 12; ++who) {
    for (int64_t i = 0; i <= who % 4; ++i) {
      rows.push_back({who, 1 + (who + i) % 3,
                      std::sin(static_cast<double>(7 * who + i)) * std::exp(0.5 * static_cast<double>(i - 2))});
    }
  }
  rows.push_back({5, 0, 1e6});                                 // As far as the clip lets it.
  rows.push_back({3, 1, std::nan("")});                        // Not a number: adds nothing.
  rows.push_back({4, 17, 1});                                  // No such axis: the program fails on it.
  rows.push_back({7, 2, 1e300});                               // Infinite as a float.
  rows.push_back({8, 2, 0});                                   // A zero more.
  rows.push_back({-1, 0, 50});                                 // Nobody's.
  for (int i = 0; i < 400; ++i) rows.push_back({9, 1, -0.5});  // Most rows of the store are this customer's.
  rows.push_back({11, 3, std::numeric_limits<double>::denorm_min()});
  return rows;
}

// Takes each customer out in turn: the rest's sum moves by at most Delta, and by that customer's own vector exactly, so
// nothing of anybody is in anybody else's.
void ExpectSeparable(const PullPlan& plan) {
  PullWorker worker(plan);
  const std::vector<Pull> rows = Dozen();
  const std::vector<int32_t> all = worker.Update(rows);
  ASSERT_EQ(all.size(), worker.grid().shape.length());
  EXPECT_THAT(std::vector<int32_t>(all.begin(), all.begin() + 4), ::testing::Not(Each(0)));
  for (int64_t who = 0; who < 12; ++who) {
    const std::vector<int32_t> others = worker.Update(Without(rows, who));
    const std::vector<int32_t> own = worker.Update(Only(rows, who));
    EXPECT_TRUE(AreWithinDelta(all, others, worker.grid().quantizer.scale())) << who;
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], others[i] + own[i]) << who << ", coordinate " << i;
  }
}

TEST(SeparableTest, OneGradient) { ExpectSeparable({}); }
TEST(SeparableTest, SeveralSteps) { ExpectSeparable({.training = "local_steps = 3"}); }
TEST(SeparableTest, FewExamplesEach) { ExpectSeparable({.more_privacy = "examples_per_customer_max = 2"}); }
// Held out are a customer's last rows, or some of them, whatever others have.
TEST(SeparableTest, HeldOutByTime) { ExpectSeparable({.validation = "[validation]\nlast = 1"}); }
TEST(SeparableTest, HeldOutByHash) { ExpectSeparable({.validation = "[validation]\nfraction = 0.4"}); }
TEST(SeparableTest, AnAdaptiveClip) {
  ExpectSeparable({.more_privacy = "[privacy.adaptive_clip]\nquantile = 0.5\nlearning_rate = 0.2"});
}

// Dropout: each customer's own random numbers, whoever else is there.
TEST(SeparableTest, ARandomProgram) {
  ExpectSeparable({.loss = R"(
    kept = torch.dropout(batch["pull"], 0.5, True)
    return -kept * torch.index_select(self.w, 0, batch["axis"]))"});
}

// What would normalise over the store normalises over one customer.
TEST(SeparableTest, AProgramThatNormalises) {
  ExpectSeparable({.prepare = R"(
    pulls = tables["pulls"]
    pull = torch.nan_to_num(pulls["pull"], 0.0, 0.0, 0.0)
    pull = (pull - pull.mean()) / (pull.abs().max() + 0.001)
    return {"unit": pulls["who"], "time": pulls["axis"], "axis": pulls["axis"], "pull": pull.to(6)})"});
}

// A plan that calls each row a customer of its own, or all rows one customer's, gains nothing by it.
TEST(SeparableTest, AProgramThatLiesAboutWhoIsWho) {
  ExpectSeparable({.prepare = R"(
    pulls = tables["pulls"]
    lie = torch.arange(pulls["who"].size(0))
    return {"unit": lie, "time": pulls["axis"], "axis": pulls["axis"], "pull": pulls["pull"].to(6)})"});
  ExpectSeparable({.prepare = R"(
    pulls = tables["pulls"]
    return {"unit": torch.zeros_like(pulls["who"]), "time": pulls["axis"], "axis": pulls["axis"],
            "pull": pulls["pull"].to(6) * 1000.0})"});
}

TEST(SeparableTest, AStoreWithoutCustomersSendsZeros) {
  PullWorker worker({});
  EXPECT_THAT(worker.Update({}), Each(0));
  EXPECT_THAT(worker.Update({{-1, 0, 5}, {-2, 1, 5}}), Each(0));
}

}  // namespace
}  // namespace aisle
