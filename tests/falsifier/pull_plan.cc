#include "tests/falsifier/pull_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "aggregation/weights.h"
#include "base/check.h"
#include "plans/initial_weights.h"
#include "plans/update_vector.h"

namespace aisle {
namespace {

template <typename T, typename Member>
std::string Cells(const std::vector<Pull>& rows, Member Pull::*member) {
  std::vector<T> values;
  for (const Pull& row : rows) values.push_back(row.*member);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

v1::TableData TableOf(const std::vector<Pull>& rows) {
  v1::TableData table;
  table.set_name("pulls");
  table.set_rows(rows.size());
  const auto add = [&](const char* name) {
    table.add_columns()->set_name(name);
    return table.mutable_columns(table.columns_size() - 1);
  };
  add("who")->set_int64_values(Cells<int64_t>(rows, &Pull::who));
  add("axis")->set_int64_values(Cells<int64_t>(rows, &Pull::axis));
  add("pull")->set_double_values(Cells<double>(rows, &Pull::pull));
  return table;
}

// A table without customers: everybody's examples are made with it.
v1::TableData Shop() {
  constexpr double kSizes[] = {0.5, 0.75};
  v1::TableData table;
  table.set_name("shop");
  table.set_rows(2);
  v1::ColumnData& sizes = *table.add_columns();
  sizes.set_name("size");
  sizes.set_double_values(std::string(reinterpret_cast<const char*>(kSizes), sizeof kSizes));
  return table;
}

// 32 bytes for this purpose only.
std::string SeedOf(uint64_t seed, std::string_view purpose) {
  AesCtrStream stream(SecretBytes::CopyOf(fmt::format("{:032}", seed)), purpose);
  return std::string(DrawKey(stream).Reveal());
}

Grid GridOf(const Plan& plan, const std::string& weights) {
  const UpdateShape shape = UpdateShapeOf(plan, DecodeWeights(weights)->layout).value();
  return {shape, QuantizerOf(plan, shape).value()};
}

}  // namespace

std::string PullPlan::Toml() const {
  return fmt::format(R"([plan]
name = "pull"
version = 1
source = "pull.py"
[tables.pulls.columns]
who = {{type = "customer", range = [0, 9]}}
axis = {{type = "int64", range = [0, 3]}}
pull = {{type = "double", range = [-1, 1]}}
[tables.shop.columns]
size = {{type = "double", range = [0.5, 1]}}
[training]
learning_rate = 1.0
{}
{}
[privacy]
secure_sum = false
mode = "{}"
clip_norm = 1.0
noise_multiplier = {}
delta = 1e-6
rounds_max = 1000
metric_share = 0.2
sampling_rate = {}
customers_per_store = 20
{}
[cohort]
min = 1
target = 2
[[parameters]]
name = "w"
shape = [{}]
{})",
                     training, validation, mode, z, q, more_privacy, dimensions, parameters);
}

std::string PullPlan::Source() const {
  return fmt::format(R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:{}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:{}

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:{}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"pull": batch["pull"]}}
)",
                     prepare, loss, metrics);
}

std::string PullPlan::Weights() const {
  const StatusOr<Plan> plan = Plan::Parse(Toml());
  AISLE_CHECK(plan.ok(), "{}", MessageOf(plan.status()));
  return EncodeWeights(MakeInitialWeights(*plan).value());
}

PlanBundle PullPlan::Bundle() const {
  StatusOr<PlanBundle> bundle = MakePlanBundle({.plan_toml = Toml(), .program = Source()}, Weights());
  AISLE_CHECK(bundle.ok(), "{}", MessageOf(bundle.status()));
  return *std::move(bundle);
}

PullWorker::PullWorker(const PullPlan& plan)
    : bundle_(plan.Bundle().Encode()),
      weights_(plan.Weights()),
      plan_(Plan::Parse(plan.Toml()).value()),
      grid_(GridOf(plan_, weights_)) {}

v1::WorkerRequest PullWorker::Request(const std::vector<Pull>& rows, uint64_t seed) const {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(bundle_);
  task.set_weights(weights_);
  *task.add_tables() = TableOf(rows);
  *task.add_tables() = Shop();
  task.set_seed(SeedOf(seed, "task"));
  task.set_noise_seed(SeedOf(seed, "noise"));
  task.set_threads(1);
  return request;
}

v1::WorkerReply PullWorker::Train(const std::vector<Pull>& rows, uint64_t seed) {
  return runner_.Run(Request(rows, seed), {}, std::atomic<bool>(false));
}

std::vector<int32_t> PullWorker::Update(const std::vector<Pull>& rows, uint64_t seed) {
  return UpdateFor(Request(rows, seed));
}

std::vector<int32_t> PullWorker::UpdateFor(const v1::WorkerRequest& request, std::vector<v1::Mark>* marks) {
  return UpdateOf(runner_.Run(request, {}, std::atomic<bool>(false), [marks](const v1::Mark& mark) {
    if (marks != nullptr) marks->push_back(mark);
  }));
}

std::vector<int32_t> UpdateOf(const v1::WorkerReply& reply) {
  EXPECT_TRUE(reply.has_trained()) << reply.failure().detail();
  std::vector<int32_t> update(reply.trained().update().size() / sizeof(int32_t));
  std::memcpy(update.data(), reply.trained().update().data(), update.size() * sizeof(int32_t));
  return update;
}

v1::WorkerReply PullWorker::Inspect() {
  v1::WorkerRequest request;
  v1::InspectTask& task = *request.mutable_inspect();
  task.set_bundle(bundle_);
  task.set_weights(weights_);
  task.set_seed(SeedOf(1, "inspect"));
  return runner_.Run(request, {}, std::atomic<bool>(false));
}

std::vector<Pull> Without(const std::vector<Pull>& rows, int64_t who) {
  std::vector<Pull> others;
  std::ranges::copy_if(rows, std::back_inserter(others), [who](const Pull& row) { return row.who != who; });
  return others;
}

std::vector<Pull> Only(const std::vector<Pull>& rows, int64_t who) {
  std::vector<Pull> own;
  std::ranges::copy_if(rows, std::back_inserter(own), [who](const Pull& row) { return row.who == who; });
  return own;
}

}  // namespace aisle
