// Local training of the demand plan in a real aisle-worker, beside the same loop written straight on LibTorch (goal: at
// most 1.10 times its time per step), what a task costs a worker that must first be started and one that is warm, and
// how long each takes to the end of its first batch.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "aggregation/weights.h"
#include "base/check.h"
#include "base/random.h"
#include "bench/direct_training.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"
#include "store-agent/supervisor/environment.h"
#include "store-agent/supervisor/worker_process.h"

namespace aisle {
namespace {

constexpr uint64_t kWeeks = 106;
constexpr uint64_t kBrands = 11;
constexpr int kEpochs = 100;
constexpr uint32_t kBatch = 64;

template <typename T>
T Value(StatusOr<T> result) {
  AISLE_CHECK(result.ok(), "{}", MessageOf(result.status()));
  return *std::move(result);
}

template <typename T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A store's table with every brand in every week, and made-up prices and sales.
v1::TableData MakeTable(const TableNeed& need, RandomSource& random) {
  v1::TableData table;
  table.set_name(need.name);
  const uint64_t brands = need.name == "sales" ? kBrands : 1;
  table.set_rows(need.name == "traits" ? 1 : kWeeks * brands);
  for (const ColumnNeed& need_column : need.columns) {
    v1::ColumnData& column = *table.add_columns();
    column.set_name(need_column.name);
    for (uint64_t row = 0; row < table.rows(); ++row) {
      const auto whole = static_cast<int64_t>(need_column.name == "brand" ? 1 + row % brands : 40 + row / brands);
      const double number = need_column.range.min + (need_column.range.max - need_column.range.min) * random.Fraction();
      if (need_column.type == ColumnType::kInt64) Append(*column.mutable_int64_values(), whole);
      if (need_column.type == ColumnType::kDouble) Append(*column.mutable_double_values(), number);
    }
  }
  return table;
}

v1::WorkerRequest MakeRequest(uint32_t passes) {
  PlanFiles files = Value(ReadPlanFiles(AISLE_DEMAND_PLAN));
  const std::string_view epochs = "epochs = 2";
  files.plan_toml.replace(files.plan_toml.find(epochs), epochs.size(), "epochs = 1");
  const Plan plan = Value(Plan::Parse(files.plan_toml));
  const std::string weights = EncodeWeights(Value(MakeInitialWeights(plan)));
  AesCtrStream random(SecretBytes(32), "aisle/bench");
  v1::WorkerRequest request;
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(Value(MakePlanBundle(std::move(files), weights)).Encode());
  task.set_weights(weights);
  task.set_seed(std::string(32, 'b'));
  task.set_passes(passes);
  task.set_keep_weights(true);
  for (const TableNeed& need : plan.tables) *task.add_tables() = MakeTable(need, random);
  return request;
}

WorkerOutcome RunOrDie(WorkerProcess& worker, const v1::WorkerRequest& request) {
  WorkerOutcome outcome = worker.Run(request, {.memory = uint64_t{1} << 30});
  AISLE_CHECK(outcome.ok(), "{}", outcome.detail);
  return outcome;
}

void Direct(benchmark::State& state) {
  const auto examples = static_cast<int64_t>((kWeeks - 14) * kBrands);
  const int64_t steps = kEpochs * ((examples + kBatch - 1) / kBatch);
  for ([[maybe_unused]] auto _ : state)
    state.SetIterationTime(TrainDirectly(examples, kEpochs) / static_cast<double>(steps));
}

void InWorker(benchmark::State& state) {
  const auto worker = Value(WorkerProcess::Start(AISLE_WORKER_PROGRAM));
  const v1::WorkerRequest request = MakeRequest(kEpochs);
  for ([[maybe_unused]] auto _ : state) {
    const WorkerOutcome outcome = RunOrDie(*worker, request);
    const v1::TrainResult& trained = outcome.reply.trained();
    const uint64_t steps = kEpochs * ((trained.examples() + kBatch - 1) / kBatch);
    state.SetIterationTime(trained.seconds_training() / static_cast<double>(steps));
    state.counters["peak_MiB"] = static_cast<double>(outcome.use.memory_peak >> 20);
  }
}

// From `began`, when the task was given, to the end of its first batch: all that has passed but the batches after it.
double MillisecondsToFirstBatch(std::chrono::steady_clock::time_point began, const v1::TrainResult& trained) {
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;
  const double steps = static_cast<double>((trained.examples() + kBatch - 1) / kBatch);
  return 1e3 * (whole.count() - trained.seconds_training() * (1 - 1 / steps));
}

void ReportFirstBatch(benchmark::State& state, double milliseconds) {
  state.counters["first_batch_ms"] = benchmark::Counter(milliseconds, benchmark::Counter::kAvgIterations);
}

// One epoch, with the worker's start.
void ColdTask(benchmark::State& state) {
  const v1::WorkerRequest request = MakeRequest(1);
  double first_batch = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    const auto worker = Value(WorkerProcess::Start(AISLE_WORKER_PROGRAM));
    first_batch += MillisecondsToFirstBatch(began, RunOrDie(*worker, request).reply.trained());
  }
  ReportFirstBatch(state, first_batch);
}

void WarmTask(benchmark::State& state) {
  const v1::WorkerRequest request = MakeRequest(1);
  const auto worker = Value(WorkerProcess::Start(AISLE_WORKER_PROGRAM));
  RunOrDie(*worker, request);
  double first_batch = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    first_batch += MillisecondsToFirstBatch(began, RunOrDie(*worker, request).reply.trained());
  }
  ReportFirstBatch(state, first_batch);
}

BENCHMARK(Direct)->Name("step/libtorch")->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(5);
BENCHMARK(InWorker)->Name("step/worker")->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(5);
BENCHMARK(ColdTask)->Name("task/cold")->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(WarmTask)->Name("task/warm")->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(50);

// Both loops get the worker's environment, which counts only before LibTorch is loaded: so this program starts itself
// again with it.
void AdoptWorkerEnvironment(char** arguments) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
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
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
