// What accounting costs: a year of ten jobs by the filter's accountant (Renyi) and by the reporter's (privacy loss
// distributions), whose aim is under 100 ms; one job; a calibration.
#include <benchmark/benchmark.h>

#include "privacy/accounting/calibrate.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

constexpr int kJobs = 10;
constexpr uint32_t kRounds = 500;
constexpr double kDelta = 1e-6;

SampledGaussian JobOf(int number) {
  return {.sampling_rate = 0.005 * (number + 1), .noise_multiplier = 0.7 + 0.1 * number};
}

void YearByRenyi(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    RdpCurve total;
    for (int job = 0; job < kJobs; ++job) {
      const SampledGaussian mechanism = JobOf(job);
      total += RdpCurve::SampledGaussian(mechanism.sampling_rate, mechanism.noise_multiplier).value() * kRounds;
    }
    benchmark::DoNotOptimize(EpsilonOf(total, kDelta).epsilon);
  }
}
BENCHMARK(YearByRenyi)->Unit(benchmark::kMillisecond);

void ByLossDistributions(benchmark::State& state) {
  PldAccountant accountant;
  for (int job = 0; job < state.range(0); ++job) {
    if (!accountant.Add(JobOf(job), kRounds).ok()) state.SkipWithError("not added");
  }
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(accountant.Epsilon(kDelta).value());
}
BENCHMARK(ByLossDistributions)->ArgName("jobs")->Arg(1)->Arg(kJobs)->Unit(benchmark::kMillisecond);

void Calibration(benchmark::State& state) {
  const auto accountant = static_cast<Accountant>(state.range(0));
  const NoiseTarget target{.epsilon = 2, .delta = kDelta, .sampling_rate = 0.01, .steps = kRounds};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(CalibrateNoise(target, accountant).value());
}
BENCHMARK(Calibration)
    ->ArgName("accountant")
    ->Arg(static_cast<int>(Accountant::kRdp))
    ->Arg(static_cast<int>(Accountant::kPld))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aisle

BENCHMARK_MAIN();
