// The same where many customers' gradients are taken at once, layer by layer: whoever sits beside a customer, that
// customer adds the same bits.
#include <gtest/gtest.h>

#include <cmath>

#include "store-agent/worker/customers/choose.h"
#include "store-agent/worker/engine.h"
#include "tests/falsifier/pull_plan.h"

namespace aisle {
namespace {

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

}  // namespace
}  // namespace aisle
