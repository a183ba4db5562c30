// Attacks on the whole path of a customer's rows: worker, coins, clip, sum, Release. Two stores that differ in one
// customer; first exactly, without noise, then by statistics with it. False alarms: kFalseAlarms for each verdict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "store-agent/worker/customers/choose.h"
#include "store-agent/worker/engine.h"
#include "tests/falsifier/claims.h"
#include "tests/falsifier/pull_plan.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// A dozen customers of all kinds; number 5 is the one to find.
constexpr int64_t kTarget = 5;
std::vector<Pull> Dozen() {
  std::vector<Pull> rows;
  for (int64_t who = 0; who < 12; ++who) {
    for (int64_t i = 0; i <= who % 4; ++i) {
      rows.push_back({who, 1 + (who + i) % 3,
                      std::sin(static_cast<double>(7 * who + i)) * std::exp(0.5 * static_cast<double>(i - 2))});
    }
  }
  rows.push_back({kTarget, 0, 1e6});
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

// [[parameters]] of a plan, by name and shape.
std::string Parameters(std::initializer_list<std::pair<const char*, const char*>> parameters) {
  std::string toml;
  for (const auto& [name, shape] : parameters) {
    toml += fmt::format("[[parameters]]\nname = \"{}\"\nshape = {}\ninit = \"normal\"\nscale = 0.4\n", name, shape);
  }
  return toml;
}

// Programs whose customers' gradients are taken many at once (store-agent/worker/customers/choose.h), by the layers
// that they are made of. All fail on an axis over 3, if only in loss().
std::vector<std::pair<const char*, PullPlan>> ManyAtOnce() {
  const auto plan = [](const std::string& parameters, const std::string& loss) {
    PullPlan made;
    made.parameters = parameters;
    made.loss = R"(
    axis = batch["axis"]
    pull = batch["pull"]
    shift = torch.index_select(self.w, 0, axis).unsqueeze(1)
    x = torch.cos(axis.to(6).unsqueeze(1) * torch.arange(1, 17, dtype=6)) * pull.unsqueeze(1) + shift)" +
                loss;
    return made;
  };
  return {{"Pulls", PullPlan()},
          {"Linear", plan(Parameters({{"hidden", "[8, 16]"}, {"bias", "[8]"}, {"out", "[1, 8]"}}), R"(
    y = torch.linear(torch.tanh(torch.linear(x, self.hidden, self.bias)), self.out).squeeze(1)
    return torch.square(y - 2.0 * pull))")},
          {"Table", plan(Parameters({{"table", "[4, 6]"}}), R"(
    return torch.square(torch.embedding(self.table, axis).sum(1) + self.w.sum() - pull))")},
          {"Convolution", plan(Parameters({{"kernel", "[3, 1, 3, 3]"}, {"out", "[2, 48]"}}), R"(
    maps = torch.relu(torch.conv2d(x.view([-1, 1, 4, 4]), self.kernel, None, [1, 1], [1, 1]))
    return torch.square(torch.linear(maps.flatten(1), self.out).sum(1) - pull))")},
          {"Softmax", plan(Parameters({{"scale", "[16]"}, {"shift", "[16]"}, {"weight", "[16, 5]"}}), R"(
    normal = torch.layer_norm(x, [16], self.scale, self.shift)
    return -torch.log_softmax(torch.mm(normal, self.weight), 1)[:, 0])")},
          {"Recurrent", plan(Parameters({{"input", "[6, 4]"}, {"state", "[6, 6]"}}), R"(
    h = torch.zeros([x.size(0), 6], dtype=6)
    for step in range(4):
        h = torch.tanh(torch.linear(x[:, 4 * step:4 * step + 4], self.input) + torch.linear(h, self.state))
    return torch.square(h.sum(1) - pull))")}};
}

std::vector<Pull> Crowd(int64_t customers) {
  std::vector<Pull> rows;
  for (int64_t who = 1; who <= customers; ++who) {
    for (int64_t i = 0; i <= who % 5; ++i) {
      const double phase = static_cast<double>(13 * who + 5 * i);
      rows.push_back({who, (who + i) % 4, std::sin(phase) * std::exp(4 * std::cos(phase))});
    }
  }
  return rows;
}

// Or the tests that follow would attack the loop once more.
TEST(ManyAtOnceTest, AreTakenManyAtOnce) {
  for (const auto& [name, plan] : ManyAtOnce()) {
    PrepareEngine(1, 1);
    const Plan parsed = Plan::Parse(plan.Toml()).value();
    const std::unique_ptr<Program> program = Program::FromBundle(plan.Bundle(), parsed).value();
    ASSERT_TRUE(program->SetWeights(DecodeWeights(plan.Weights()).value()).ok());
    const ChosenGradients chosen = ChooseUnitGradients(*program, parsed);
    EXPECT_NE(chosen.way, UnitWay::kLoop) << name << ": " << chosen.reason;
  }
}

// The total of all is truncated once there, hence the one step.
TEST(ManyAtOnceTest, OneCustomerMovesTheSumByItsOwnVector) {
  for (const auto& [name, plan] : ManyAtOnce()) {
    PullWorker worker(plan);
    for (const int64_t customers : {60, 300}) {
      const std::vector<Pull> rows = Crowd(customers);
      const std::vector<int32_t> all = worker.Update(rows);
      for (const int64_t who : {int64_t{1}, int64_t{30}, customers}) {
        const std::vector<int32_t> others = worker.Update(Without(rows, who));
        const std::vector<int32_t> own = worker.Update(Only(rows, who));
        EXPECT_TRUE(AreWithinDelta(all, others, worker.grid().quantizer.scale())) << name << who;
        for (size_t i = 0; i < all.size(); ++i) {
          EXPECT_LE(std::abs(all[i] - others[i] - own[i]), 1) << name << who << ", coordinate " << i;
        }
      }
    }
  }
}

// Customers who add nothing, because of what their rows are, don't change a bit of what the others add, whatever seats
// they take from them or share with them.
TEST(ManyAtOnceTest, CustomersWhoAddNothingChangeNothing) {
  const std::vector<Pull> nothing[] = {
      {{0, 1, std::nan("")}},                      // First of all: everybody moves up by one.
      {{0, 2, 1e300}, {31, 0, std::nan("")}},      // Infinite as a float; and one who had good rows, too.
      {{99, 17, 1}, {98, -5, 1}, {97, 17, 1e30}},  // Where the program fails.
      {{-3, 1, 5}},                                // Nobody.
  };
  for (const auto& [name, plan] : ManyAtOnce()) {
    PullWorker worker(plan);
    for (const std::vector<Pull>& more : nothing) {
      for (const int64_t customers : {60, 300}) {
        std::vector<Pull> rows = Crowd(customers);
        rows.insert(rows.end(), more.begin(), more.end());
        std::vector<Pull> others = Crowd(customers);
        for (const Pull& pull : more) others = Without(others, pull.who);
        EXPECT_EQ(worker.Update(rows), worker.Update(others)) << name << more[0].who << ", " << more[0].pull;
      }
    }
  }
}

// What the others add doesn't depend on how large or odd the one beside them is.
TEST(ManyAtOnceTest, WildCustomersMoveTheSumByAtMostDelta) {
  for (const auto& [name, plan] : ManyAtOnce()) {
    PullWorker worker(plan);
    const std::vector<int32_t> others = worker.Update(Crowd(60));
    for (const double wild : {1e-38, 1e-20, 1.0, 1e4, 1e19, 3e37, -1e10}) {
      for (const int64_t count : {1, 7, 100}) {
        std::vector<Pull> rows = Crowd(60);
        for (int64_t i = 0; i < count; ++i) rows.push_back({0, i % 4, wild});
        EXPECT_TRUE(AreWithinDelta(worker.Update(rows), others, worker.grid().quantizer.scale()))
            << name << wild << ", " << count;
      }
    }
  }
}

TEST(SeparableTest, AStoreWithoutCustomersSendsZeros) {
  PullWorker worker({});
  EXPECT_THAT(worker.Update({}), Each(0));
  EXPECT_THAT(worker.Update({{-1, 0, 5}, {-2, 1, 5}}), Each(0));
}

// Ways for a program to carry something of one customer over to the next. Each is refused at the door or comes to
// nothing; there is no third way.
struct CarryOver {
  const char* name;
  const char* loss = nullptr;
  const char* prepare = nullptr;
};
class CarryOverTest : public ::testing::TestWithParam<CarryOver> {};

TEST_P(CarryOverTest, IsRefusedOrComesToNothing) {
  PullPlan plan;
  if (GetParam().loss != nullptr) plan.loss = GetParam().loss;
  if (GetParam().prepare != nullptr) plan.prepare = GetParam().prepare;
  PullWorker worker(plan);
  if (worker.Inspect().has_failure()) return;
  const std::vector<Pull> rows = {{1, 0, 0.3}, {2, 1, 0.3}, {3, 2, 0.3}};
  const std::vector<int32_t> all = worker.Update(rows);
  for (const int64_t who : {1, 2, 3}) {
    const std::vector<int32_t> others = worker.Update(Without(rows, who));
    EXPECT_TRUE(AreWithinDelta(all, others, worker.grid().quantizer.scale())) << who;
    const std::vector<int32_t> own = worker.Update(Only(rows, who));
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], others[i] + own[i]) << who << ", coordinate " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, CarryOverTest,
                         ::testing::Values(CarryOver{"WritingAParameter", R"(
    self.w.detach().add_(batch["pull"].sum())
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingAView", R"(
    view = self.w.detach().view([2, 2])[0]
    view.fill_(100.0 * batch["pull"].sum())
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingThroughAList", R"(
    kept = [self.w.detach()]
    for tensor in kept:
        tensor.mul_(0.0).sub_(7.0)
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingThroughADictionary", R"(
    kept = {"w": self.w.detach()}
    kept["w"].copy_(torch.ones([4]) * 9.0)
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingByIndex", R"(
    flat = self.w.detach()
    flat[0] = 5.0
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingTheBatch", R"(
    batch["pull"].mul_(2.0)
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))"},
                                           CarryOver{"WritingATableOfAll", nullptr, R"(
    pulls = tables["pulls"]
    size = tables["shop"]["size"]
    pull = pulls["pull"] * float(size[0])
    size.mul_(3.0)
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"WritingAParameterWhilePreparing", nullptr, R"(
    pulls = tables["pulls"]
    pull = pulls["pull"] * (1.0 + float(self.w.sum()))
    self.w.detach().add_(pulls["pull"].sum())
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"AddingATable", nullptr, R"(
    pulls = tables["pulls"]
    pull = pulls["pull"] * float(len(tables))
    tables["more"] = {"x": pulls["pull"]}
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"NormalisingOverTheBatch", R"(
    pull = torch.batch_norm(batch["pull"].unsqueeze(1), None, None, None, None, True, 0.1, 0.00001, False).squeeze(1)
    return -pull * torch.index_select(self.w, 0, batch["axis"]))"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(BatchNormTest, IsRefusedByName) {
  PullPlan plan;
  plan.loss = R"(
    pull = torch.batch_norm(batch["pull"].unsqueeze(1), None, None, None, None, True, 0.1, 0.00001, False).squeeze(1)
    return -pull * torch.index_select(self.w, 0, batch["axis"]))";
  const v1::WorkerReply reply = PullWorker(plan).Inspect();
  EXPECT_EQ(reply.failure().reason(), v1::WorkerFailure::REASON_PLAN_INVALID);
  EXPECT_THAT(reply.failure().detail(), HasSubstr("aten::batch_norm"));
  EXPECT_THAT(reply.failure().detail(), HasSubstr("looks at the whole batch"));
}

// Clean updates of many rounds, each with coins of its own, and the direction in which the target shows.
struct Rounds {
  std::vector<std::vector<int32_t>> with;
  std::vector<std::vector<int32_t>> without;
  std::vector<int32_t> target;
};

Rounds RoundsOf(PullWorker& worker, const std::vector<Pull>& rows, size_t count) {
  Rounds rounds;
  PullPlan alone;
  rounds.target = PullWorker(alone).Update(Only(rows, kTarget));
  const std::vector<Pull> others = Without(rows, kTarget);
  for (size_t i = 0; i < count; ++i) {
    rounds.with.push_back(worker.Update(rows, 2 * i));
    rounds.without.push_back(worker.Update(others, 2 * i + 1));
  }
  return rounds;
}

// After the agent's Release, with noise of std z * Delta: what lies along the target's vector.
Runs Attacked(const Rounds& rounds, const Grid& grid, double z) {
  AesCtrStream noise = Stream(1, "agent");
  size_t next = 0;
  return RunBoth(rounds.with.size(), [&](bool with) {
    std::vector<int32_t> clean = with ? rounds.with[next] : rounds.without[next];
    if (!with) ++next;
    // The sampling rate is for the ledger; Release looks at z alone.
    const auto released =
        Release(ReceiptFor(MakeCustomerDebit(1, z)), SecretVector<int32_t>(std::move(clean)), grid.quantizer, noise);
    return Along(std::span<const int32_t>(Centered(released.value().Reveal())),
                 std::span<const int32_t>(rounds.target));
  });
}

// Few others, so that they don't hide the target.
std::vector<Pull> Handful() {
  return {{1, 1, 0.4}, {1, 2, -3}, {2, 2, 0.2}, {3, 1, std::nan("")}, {kTarget, 0, 40}, {kTarget, 0, -5}};
}

TEST(WorkerPathTest, TwoStoresHoldWhatTheLedgerBooks) {
  constexpr double kRate = 0.4;
  PullWorker worker({.q = kRate, .z = 0.8});
  const Rounds rounds = RoundsOf(worker, Handful(), 1'500);
  const Debit debit = MakeCustomerDebit(kRate, 0.8);
  const Runs runs = Attacked(rounds, worker.grid(), 0.8);
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
  // The same rounds with a third of the noise are refuted: the attack does reach the target.
  EXPECT_GT(ExcessShown(Attacked(rounds, worker.grid(), 0.27), LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
}

// The sampling rate gets from plan.toml to the coins. Were it lost on the way, everybody would be in every round:
TEST(WorkerPathTest, ASamplingRateLostOnTheWayIsRefuted) {
  PullWorker lost({.q = 1, .z = 0.8});
  const Runs all = Attacked(RoundsOf(lost, Handful(), 1'000), lost.grid(), 0.8);
  EXPECT_GT(ExcessShown(all, LossClaim(0.1, 0.8, 1), kFalseAlarms), 0);
  PullWorker kept({.q = 0.1, .z = 0.8});
  const Runs some = Attacked(RoundsOf(kept, Handful(), 300), kept.grid(), 0.8);
  EXPECT_LE(ExcessShown(some, LossClaim(0.1, 0.8, 1), kFalseAlarms), 0);
  // And of 300 rounds with 4 customers, a tenth is drawn: five sigma.
  uint64_t drawn = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) drawn += kept.Train(Handful(), seed).trained().customers_drawn();
  EXPECT_NEAR(static_cast<double>(drawn), 120, 5 * std::sqrt(1200 * 0.1 * 0.9));
}

// Mode local-sgd: noised at every step in the worker; what leaves is the sum of its steps.
TEST(WorkerPathTest, LocalSgdHoldsWhatItsStepsBook) {
  constexpr uint32_t kSteps = 4;
  const auto attacked = [&](double z) {
    PullWorker worker(
        {.mode = "local-sgd", .q = 0.5, .z = z, .training = "", .more_privacy = "steps = 4\nupdate_norm_max = 100.0"});
    uint64_t seed = 0;
    return RunBoth(800, [&](bool with) {
      const std::vector<Pull> rows = with ? Handful() : Without(Handful(), kTarget);
      return static_cast<double>(worker.Update(rows, ++seed)[0]);
    });
  };
  Debit debit = MakeCustomerDebit(0.5, 1);
  debit.releases = kSteps;
  EXPECT_LE(ExcessShown(attacked(1), BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(attacked(1), LossClaim(0.5, 1, kSteps), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(attacked(0.4), LossClaim(0.5, 1, kSteps), kFalseAlarms), 0);
}

}  // namespace
}  // namespace aisle
