// Whole cohorts of the secure sum in one process. Times are processor seconds, each party's on its own account, but for
// server_wall. Certificates cost nothing here except in the rows that say ecdsa.
#include <benchmark/benchmark.h>

#include "bench/secagg/chains.h"
#include "bench/secagg/whole_cohort.h"

namespace aisle::secagg {
namespace {

constexpr uint64_t kSample = 1 << 14;

void Report(benchmark::State& state, const Costs& costs, double stores) {
  if (!costs.correct) return state.SkipWithError("the sum isn't the survivors'");
  state.SetIterationTime(costs.server_wall);
  state.counters["degree"] = costs.degree;
  state.counters["threshold"] = costs.threshold;
  state.counters["store_s"] = costs.store_steps + costs.store_masking;
  state.counters["store_masking_s"] = costs.store_masking;
  state.counters["server_wall_s"] = costs.server_wall;
  state.counters["messages_s"] = costs.server_messages;
  state.counters["rebuilding_s"] = costs.server_rebuilding;
  state.counters["sum_s"] = costs.server_sum;
  state.counters["self_masks_s"] = costs.server_self_masks;
  state.counters["dropouts_s"] = costs.server_dropouts;
  state.counters["everybody_s"] = costs.everybody;
  state.counters["bytes_up"] = costs.bytes_up;
  state.counters["bytes_down"] = costs.bytes_down;
  state.counters["upload_of_plain"] = costs.upload_of_plain;
  state.counters["stores"] = stores;
}

// Stores, coordinates, drop-outs and colluders per mille.
void Cohort(benchmark::State& state) {
  const Chain chain = CheapChain(static_cast<uint32_t>(state.range(0)));
  const Assumed assumed{.dropout_permille = static_cast<uint32_t>(state.range(2)),
                        .corrupt_permille = static_cast<uint32_t>(state.range(3))};
  for ([[maybe_unused]] auto _ : state) {
    WholeCohort cohort(chain, static_cast<uint64_t>(state.range(1)), assumed);
    Report(state, cohort.Run(kSample, 2), static_cast<double>(state.range(0)));
  }
}
// A thousand stores that may lose 30 % and have 5 % colluders would take 314 neighbours each, over kNeighboursMax.
BENCHMARK(Cohort)
    ->ArgNames({"stores", "d", "dropout", "corrupt"})
    ->ArgsProduct({{100, 1000}, {100'000, 1'000'000}, {0, 100}, {50}})
    ->ArgsProduct({{100}, {100'000, 1'000'000}, {300}, {50}})
    ->ArgsProduct({{1000}, {100'000, 1'000'000}, {300}, {20}})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// All parties on one core, every vector masked whole. Certificates: 0 that cost nothing, 1 real ones that nobody has
// seen before, 2 real ones of stores that have all met in earlier cohorts.
void OneCore(benchmark::State& state) {
  const Chain chain = state.range(0) != 0 ? EcdsaChain(100, state.range(0) == 2) : CheapChain(100);
  for ([[maybe_unused]] auto _ : state) {
    WholeCohort cohort(chain, 100'000, {.dropout_permille = 100, .corrupt_permille = 50});
    Report(state, cohort.Run(100'000, 1), 100);
  }
}
BENCHMARK(OneCore)->ArgName("ecdsa")->Arg(0)->Arg(1)->Arg(2)->UseManualTime()->Iterations(1)->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace aisle::secagg

BENCHMARK_MAIN();
