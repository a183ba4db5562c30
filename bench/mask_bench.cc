// What the secure sum's mathematics cost, beside the primitives they rest on in the same run.
//
// Masks: the figure that counts is the counter `of_openssl`, bytes masked per second of processor time over bytes that
// OpenSSL's own AES-256-CTR encrypts per second, in place on the same buffer. Goal (`aim`): at least 0.60, one thread.
// Shares: what Lagrange's weights cost, which are made once per pattern of survivors, and each secret after that.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <algorithm>
#include <ctime>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "privacy/secagg/mask.h"
#include "privacy/secagg/parameters.h"
#include "privacy/secagg/shamir.h"

namespace aisle::secagg {
namespace {

constexpr double kAim = 0.60;
constexpr int kTurns = 15;  // The best of these counts: the machine may be shared.

// Of this thread alone: others on the machine then matter little.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Work>
double SecondsOf(Work work) {
  const double begin = ProcessorSeconds();
  work();
  return ProcessorSeconds() - begin;
}

SecretBytes NewKey() {
  SecureRandom random;
  return DrawKey(random);
}

// OpenSSL's AES-256-CTR over the whole buffer, as its own speed test does it.
class PlainCtr {
 public:
  PlainCtr() {
    const SecretBytes key = NewKey();
    const std::vector<uint8_t> counter(16);
    EVP_EncryptInit_ex(cipher_, EVP_aes_256_ctr(), nullptr, reinterpret_cast<const uint8_t*>(key.Reveal().data()),
                       counter.data());
  }
  ~PlainCtr() { EVP_CIPHER_CTX_free(cipher_); }
  PlainCtr(const PlainCtr&) = delete;
  PlainCtr& operator=(const PlainCtr&) = delete;

  void Encrypt(std::span<uint32_t> values) {
    auto* bytes = reinterpret_cast<uint8_t*>(values.data());
    int written = 0;
    EVP_EncryptUpdate(cipher_, bytes, &written, bytes, static_cast<int>(values.size_bytes()));
  }

 private:
  EVP_CIPHER_CTX* cipher_ = EVP_CIPHER_CTX_new();
};

// Runs both in turn, so that whatever else the machine does hits both alike.
template <typename Ours>
void Compare(benchmark::State& state, std::vector<uint32_t>& values, double masks, Ours ours) {
  PlainCtr plain;
  double plain_best = 1e9;
  double ours_best = 1e9;
  for ([[maybe_unused]] auto _ : state) {
    for (int turn = 0; turn < kTurns; ++turn) {
      plain_best = std::min(plain_best, SecondsOf([&] { plain.Encrypt(values); }));
      ours_best = std::min(ours_best, SecondsOf(ours) / masks);
    }
    benchmark::DoNotOptimize(values.data());
  }
  const auto rate = [&](double seconds) { return static_cast<double>(values.size()) * 4 / seconds / 1e9; };
  state.counters["openssl_GBps"] = rate(plain_best);
  state.counters["mask_GBps"] = rate(ours_best);
  state.counters["of_openssl"] = plain_best / ours_best;
  state.counters["aim"] = kAim;
}

void OneMask(benchmark::State& state) {
  std::vector<uint32_t> values(static_cast<size_t>(state.range(0)), 1);
  const SecretBytes key = NewKey();
  Compare(state, values, 1, [&] { ApplyMask(key, MaskSign::kAdd, 0, values); });
}
BENCHMARK(OneMask)
    ->ArgName("length")
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// A store's whole set, its own mask and one per neighbour; and what headquarters takes off the sum of 1,000 stores.
void ManyMasks(benchmark::State& state) {
  std::vector<uint32_t> values(static_cast<size_t>(state.range(0)), 1);
  std::vector<Mask> masks;
  for (int64_t i = 0; i < state.range(1); ++i) {
    masks.push_back({.key = NewKey(), .sign = i % 2 == 0 ? MaskSign::kAdd : MaskSign::kSubtract});
  }
  Compare(state, values, static_cast<double>(masks.size()), [&] { ApplyMasks(masks, 0, values); });
}
BENCHMARK(ManyMasks)
    ->ArgNames({"length", "masks"})
    ->Args({100'000, 27})
    ->Args({1'000'000, 79})
    ->Args({200'000, 1000})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// Parties of a store's secret in a cohort of that size, and the points of as many as rebuild it.
struct Sharing {
  SumParameters parameters;
  std::vector<uint32_t> all;
  std::vector<uint32_t> enough;

  explicit Sharing(int64_t cohort_size)
      : parameters(FindParameters(static_cast<uint32_t>(cohort_size), {}).value()),
        all(parameters.degree),
        enough(parameters.threshold) {
    std::iota(all.begin(), all.end(), 1u);
    std::iota(enough.begin(), enough.end(), 1u);
  }
};

void SplitOneSecret(benchmark::State& state) {
  const Sharing sharing(state.range(0));
  const SecretBytes secret = NewKey();
  AesCtrStream random(NewKey(), "bench");
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(Split(secret, sharing.parameters.threshold, sharing.all, random));
  }
}
BENCHMARK(SplitOneSecret)->ArgName("cohort")->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void WeightsOfOnePattern(benchmark::State& state) {
  const Sharing sharing(state.range(0));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(LagrangeWeights::AtZero(sharing.enough));
}
BENCHMARK(WeightsOfOnePattern)->ArgName("cohort")->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void CombineOneSecret(benchmark::State& state) {
  const Sharing sharing(state.range(0));
  AesCtrStream random(NewKey(), "bench");
  const std::vector<Share> shares = Split(NewKey(), sharing.parameters.threshold, sharing.enough, random).value();
  const LagrangeWeights weights = LagrangeWeights::AtZero(sharing.enough).value();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(weights.Combine(shares));
}
BENCHMARK(CombineOneSecret)->ArgName("cohort")->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

// Both sides find the parameters anew for each cohort.
void Parameters(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(FindParameters(static_cast<uint32_t>(state.range(0)), {}));
}
BENCHMARK(Parameters)->ArgName("cohort")->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace aisle::secagg

BENCHMARK_MAIN();
