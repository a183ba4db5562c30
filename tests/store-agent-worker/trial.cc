#include "tests/store-agent-worker/trial.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.h"
#include "plans/initial_weights.h"

namespace aisle {

std::string LinePlan::Toml() const {
  return fmt::format(R"([plan]
name = "line"
version = 1
source = "line.py"

[tables.points.columns]
a = {{type = "int64", range = [0, 99]}}
x = {{type = "double", range = [-1, 1]}}
y = {{type = "double", range = [-3, 3]}}

[training]
{}

[validation]
{}

[privacy]
secure_sum = false
mode = "store"
clip_norm = 0.5
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
metric_share = 0.2

[cohort]
min = 2
target = 4

[limits]
{}

[metrics.squared_error]
bound = 10.0

[[parameters]]
name = "slope"
shape = [1]

[[parameters]]
name = "offset"
shape = [1]
trainable = {}
)",
                     training, validation, limits, offset_trains);
}

std::string LinePlan::Source() const {
  return fmt::format(R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:{}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:{}

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:{}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:{}
{})",
                     prepare, loss, metrics, predict, more);
}

std::string LinePlan::Weights() const {
  const StatusOr<Plan> plan = Plan::Parse(Toml());
  AISLE_CHECK(plan.ok(), "{}", MessageOf(plan.status()));
  return EncodeWeights(MakeInitialWeights(*plan).value());
}

PlanBundle LinePlan::Bundle() const {
  StatusOr<PlanBundle> bundle = MakePlanBundle({.plan_toml = Toml(), .program = Source()}, Weights());
  AISLE_CHECK(bundle.ok(), "{}", MessageOf(bundle.status()));
  return *bundle;
}

v1::TableData LinePoints(uint64_t rows) {
  std::vector<int64_t> a(rows);
  std::vector<double> x(rows);
  std::vector<double> y(rows);
  for (uint64_t i = 0; i < rows; ++i) {
    a[i] = static_cast<int64_t>(i);
    x[i] = std::sin(static_cast<double>(i) * 12.9898);
    y[i] = 2 * x[i] - 1 + 0.1 * std::cos(static_cast<double>(i) * 78.233);
  }
  v1::TableData table;
  table.set_name("points");
  table.set_rows(rows);
  const auto add = [&](const char* name) {
    v1::ColumnData* column = table.add_columns();
    column->set_name(name);
    return column;
  };
  add("a")->set_int64_values(std::string(reinterpret_cast<const char*>(a.data()), rows * 8));
  add("x")->set_double_values(std::string(reinterpret_cast<const char*>(x.data()), rows * 8));
  add("y")->set_double_values(std::string(reinterpret_cast<const char*>(y.data()), rows * 8));
  return table;
}

std::string Seed(uint8_t value) { return std::string(32, static_cast<char>(value)); }

v1::WorkerRequest TrainRequest(const LinePlan& plan, uint64_t rows) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(plan.Bundle().Encode());
  task.set_weights(plan.Weights());
  *task.add_tables() = LinePoints(rows);
  task.set_seed(Seed());
  task.set_threads(1);
  return request;
}

v1::WorkerRequest InspectRequest(const LinePlan& plan) {
  v1::WorkerRequest request;
  request.set_request_id(2);
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(plan.Bundle().Encode());
  task.set_weights(plan.Weights());
  task.set_seed(Seed());
  return request;
}

TaskLimits RoomyLimits() {
  return {.memory = uint64_t{1} << 30, .cpu_time = absl::Seconds(60), .wall_time = absl::Seconds(120)};
}

std::unique_ptr<WorkerProcess> StartWorker() {
  StatusOr<std::unique_ptr<WorkerProcess>> worker = WorkerProcess::Start(AISLE_WORKER_PROGRAM);
  AISLE_CHECK(worker.ok(), "{}", MessageOf(worker.status()));
  return *std::move(worker);
}

WorkerOutcome RunOnShared(const v1::WorkerRequest& request, const TaskLimits& limits) {
  static std::unique_ptr<WorkerProcess> worker;
  if (worker == nullptr || !worker->alive()) worker = StartWorker();
  return worker->Run(request, limits);
}

}  // namespace aisle
