// Every customer's own gradient, clipped and summed, beside one plain SGD step on the same rows in the same run: the
// factor that mode customer costs. By each way that a model can go (customers/choose.h), for a multilayer perceptron, a
// small convolutional network, and an embedding with a recurrent cell written out in the plan.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <torch/script.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "plans/initial_weights.h"
#include "plans/plan.h"
#include "plans/update_vector.h"
#include "store-agent/supervisor/environment.h"
#include "store-agent/worker/customers/choose.h"
#include "store-agent/worker/customers/units.h"
#include "store-agent/worker/dry_run.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {
namespace {

constexpr int64_t kRows = 240;

struct Model {
  const char* name;
  int width;
  std::vector<std::pair<const char*, const char*>> parameters;
  const char* loss;
};

const std::vector<Model>& Models() {
  static const std::vector<Model> models = {
      {"mlp",
       784,
       {{"w1", "200, 784"}, {"b1", "200"}, {"w2", "10, 200"}, {"b2", "10"}},
       R"(
    y = torch.linear(torch.relu(torch.linear(batch["x"], self.w1, self.b1)), self.w2, self.b2))"},
      {"cnn",
       784,
       {{"c", "16, 1, 3, 3"}, {"d", "16"}, {"e", "32, 16, 3, 3"}, {"f", "32"}, {"w", "10, 1568"}, {"b", "10"}},
       R"(
    h = torch.relu(torch.conv2d(batch["x"].reshape([-1, 1, 28, 28]), self.c, self.d, [1, 1], [1, 1]))
    h = torch.relu(torch.conv2d(torch.max_pool2d(h, [2, 2]), self.e, self.f, [1, 1], [1, 1]))
    y = torch.linear(torch.max_pool2d(h, [2, 2]).flatten(1), self.w, self.b))"},
      {"gru",
       20,
       {{"table", "1000, 32"},
        {"wi", "192, 32"},
        {"bi", "192"},
        {"wh", "192, 64"},
        {"bh", "192"},
        {"w", "10, 64"},
        {"b", "10"}},
       R"(
    e = torch.embedding(self.table, batch["ids"] * 3)
    h = torch.zeros([e.size(0), 64])
    for t in range(e.size(1)):
        i = torch.linear(e[:, t], self.wi, self.bi)
        g = torch.linear(h, self.wh, self.bh)
        r = torch.sigmoid(i[:, 0:64] + g[:, 0:64])
        z = torch.sigmoid(i[:, 64:128] + g[:, 64:128])
        n = torch.tanh(i[:, 128:192] + r * g[:, 128:192])
        h = n + z * (h - n)
    y = torch.linear(h, self.w, self.b))"}};
  return models;
}

template <typename T>
T Value(StatusOr<T> result) {
  AISLE_CHECK(result.ok(), "{}", MessageOf(result.status()));
  return *std::move(result);
}

Plan PlanOf(const Model& model) {
  std::string toml = fmt::format(R"([plan]
name = "bench"
version = 1
source = "bench.py"
[tables.rows.columns]
who = {{type = "customer"}}
x = {{type = "bytes", width = {}}}
label = {{type = "int64", range = [0, 9]}}
[training]
learning_rate = 0.01
[privacy]
secure_sum = false
mode = "customer"
sampling_rate = 1.0
customers_per_store = 240
clip_norm = 1.0
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
[cohort]
min = 2
target = 4
)",
                                 model.width);
  for (const auto& [name, shape] : model.parameters) {
    toml += fmt::format("[[parameters]]\nname = \"{}\"\nshape = [{}]\ninit = \"uniform_fan_in\"\n", name, shape);
  }
  return Value(Plan::Parse(toml));
}

std::string SourceOf(const Model& model) {
  return fmt::format(R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    t = tables["rows"]
    return {{"unit": t["who"], "x": t["x"].to(6) / 255.0, "ids": t["x"].to(4), "label": t["label"]}}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:{}
    return torch.nll_loss(torch.log_softmax(y, 1), batch["label"], None, 0)

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"count": torch.ones_like(batch["label"]).sum()}}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"x": batch["x"]}}
)",
                     model.loss);
}

// A store of kRows rows, `rows_each` to a customer.
struct Store {
  Store(const Model& model, int64_t rows_each)
      : plan(PlanOf(model)), program(Value(Program::FromSource(SourceOf(model), plan.parameters))) {
    AISLE_CHECK(program->SetWeights(Value(MakeInitialWeights(plan))).ok());
    AesCtrStream random(SecretBytes(32), "aisle/bench");
    tables = MakeTables(plan, kRows, random);
    examples.emplace(Value(Examples::Prepare(*program, plan, ViewsOf(tables))));
    for (int64_t row = 0; row < kRows; row += rows_each) {
      std::vector<int64_t> owned(static_cast<size_t>(rows_each));
      std::iota(owned.begin(), owned.end(), row);
      units.Add(std::move(owned), {}, 1);
    }
    drawn.resize(units.size());
    std::iota(drawn.begin(), drawn.end(), size_t{0});
  }

  // One step of SGD on all rows.
  void Step() const {
    c10::IValue batch;
    c10::IValue losses;
    examples->Gather(examples->all(), batch);
    program->flat_gradient().zero_();
    AISLE_CHECK(program->Call(kLoss, batch, losses).ok());
    losses.toTensor().mean().backward();
    const at::NoGradGuard no_grad;
    program->flat().add_(program->flat_gradient(), -1e-6);
  }

  void SumCustomers(UnitGradients& gradients) const {
    const UpdateShape shape =
        Value(UpdateShape::Make({.parameter_count = program->trainable_count(), .metric_bounds = {}, .clip_norm = 1}));
    UnitSum sum(shape, Value(Quantizer::Make({.clip_norm = 1, .length = shape.length(), .addends_max = 100})));
    const Status added = gradients.AddAll(
        {.program = *program, .examples = *examples, .units = units, .drawn = drawn, .factor = -0.01},
        [](size_t, double) -> StatusOr<std::vector<double>> { return std::vector<double>(); }, sum);
    AISLE_CHECK(added.ok(), "{}", MessageOf(added));
    benchmark::DoNotOptimize(sum.Take());
  }

  Plan plan;
  std::unique_ptr<Program> program;
  TableRows tables;
  std::optional<Examples> examples;
  Units units;
  std::vector<size_t> drawn;
};

// Of this thread's own time: one thread does it all, and other programs may be running.
double SecondsOf(const std::function<void()>& body) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double began = now();
  body();
  return now() - began;
}

void Customers(benchmark::State& state, const Model& model, UnitWay way, int64_t rows_each) {
  const Store store(model, rows_each);
  StatusOr<std::unique_ptr<UnitGradients>> gradients = TryUnitGradients(*store.program, store.plan, way);
  if (!gradients.ok()) {
    state.SkipWithError(std::string(MessageOf(gradients.status())).c_str());
    return;
  }
  store.program->SetTraining(true);
  store.Step();
  store.SumCustomers(**gradients);
  std::vector<double> factors;
  double step_best = 1e9;
  for ([[maybe_unused]] auto _ : state) {
    const double step = SecondsOf([&] { store.Step(); });
    const double customers = SecondsOf([&] { store.SumCustomers(**gradients); });
    state.SetIterationTime(customers);
    factors.push_back(customers / step);
    step_best = std::min(step_best, step);
  }
  std::ranges::sort(factors);
  state.counters["factor"] = factors[factors.size() / 2];  // The median of paired runs.
  state.counters["step_ms"] = step_best * 1e3;
}

void RegisterAll() {
  for (const Model& model : Models()) {
    for (const int64_t rows_each : {1, 4}) {
      for (const UnitWay way : {UnitWay::kLoop, UnitWay::kVmap, UnitWay::kOuterProducts}) {
        const std::string name = fmt::format("{}/{}_rows_each/{}", model.name, rows_each, ToString(way));
        benchmark::RegisterBenchmark(name.c_str(), Customers, model, way, rows_each)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond)
            ->Iterations(way == UnitWay::kOuterProducts ? 60 : 12);
      }
    }
  }
}

// As the worker has it, which counts only before LibTorch is loaded: so this program starts itself again with it.
void AdoptWorkerEnvironment(char** arguments) {
  if (std::getenv("PYTORCH_TENSOREXPR") != nullptr) return;
  const std::vector<std::string> environment = WorkerEnvironment();
  std::vector<char*> pointers;
  for (const std::string& variable : environment) pointers.push_back(const_cast<char*>(variable.c_str()));
  pointers.push_back(nullptr);
  execve("/proc/self/exe", arguments, pointers.data());
}

}  // namespace
}  // namespace aisle

int main(int argc, char** argv) {
  aisle::AdoptWorkerEnvironment(argv);
  aisle::WarmUpEngine();
  benchmark::Initialize(&argc, argv);
  aisle::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
