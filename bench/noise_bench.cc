// Exact discrete Gaussian noise on one core, from the generator that makes the product's noise. Goal: at least 5
// million samples per second (items_per_second, of the thread's own time), whatever the scale.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "privacy/discrete_gaussian.h"

namespace aisle {
namespace {

constexpr size_t kSamples = 1 << 18;
constexpr double kAim = 5e6;

void Noise(benchmark::State& state) {
  const DiscreteGaussian gaussian = *DiscreteGaussian::Make(state.range(0));
  SecureRandom seeds;
  AesCtrStream random(DrawKey(seeds), "bench");
  std::vector<int64_t> samples(kSamples);
  for ([[maybe_unused]] auto _ : state) {
    gaussian.Fill(random, samples);
    benchmark::DoNotOptimize(samples.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSamples));
  state.counters["aim"] = kAim;
}
// The smallest scale, one that isn't a power of two, and two large ones.
BENCHMARK(Noise)->ArgName("sigma")->Arg(1)->Arg(4099)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aisle

BENCHMARK_MAIN();
