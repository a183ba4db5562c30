// Folding an update into the sum, beside the machine's own in-place uint32 addition in the same run.
//
// The figure that counts is the counter `of_machine`: coordinates folded per second over coordinates added per second
// by a plain loop (a[i] += b[i], at -O3 with the best instructions this processor has). Goal: at least 0.70, one
// thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "aggregation/modular_sum.h"
#include "base/executor.h"
#include "bench/machine_add.h"
#include "bench/scratch_folder.h"
#include "coordinator/uploads/fold_line.h"
#include "coordinator/uploads/upload_spool.h"

namespace aisle {
namespace {

constexpr int kTurns = 15;  // The best of these counts: the machine may be shared.

std::string UpdateOf(size_t length) {
  std::string bytes(length * ModularSum::kCoordinateSize, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

template <typename Work>
double SecondsOf(Work& work) {  // Not of a copy: that would begin with its vectors in the caches.
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Runs both in turn, so that whatever else the machine does hits both alike.
template <typename Machine, typename Ours>
void Compare(benchmark::State& state, size_t length, Machine machine, Ours ours) {
  double machine_best = 1e9;
  double ours_best = 1e9;
  for ([[maybe_unused]] auto _ : state) {
    for (int turn = 0; turn < kTurns; ++turn) {
      machine_best = std::min(machine_best, SecondsOf(machine));
      ours_best = std::min(ours_best, SecondsOf(ours));
    }
  }
  const auto rate = [&](double seconds) { return static_cast<double>(length) * 4 / seconds / 1e9; };
  state.counters["machine_GBps"] = rate(machine_best);
  state.counters["fold_GBps"] = rate(ours_best);
  state.counters["of_machine"] = machine_best / ours_best;
}

class MachineAdd {
 public:
  explicit MachineAdd(size_t length) : sum_(length, 1), update_(length, 7) {}
  void operator()() {
    AddInPlace(sum_.data(), update_.data(), sum_.size());
    benchmark::DoNotOptimize(sum_.data());
    benchmark::ClobberMemory();
  }

 private:
  std::vector<uint32_t> sum_;
  std::vector<uint32_t> update_;
};

// Whole vectors from memory; the bytes lie as gRPC may leave them, `offset` off their natural boundary.
void FoldFromMemory(benchmark::State& state) {
  const auto length = static_cast<size_t>(state.range(0));
  const auto offset = static_cast<size_t>(state.range(1));
  const std::string bytes = std::string(offset, ' ') + UpdateOf(length);
  ModularSum sum(length);
  Compare(state, length, MachineAdd(length),
          [&] { benchmark::DoNotOptimize(sum.AddBytes(std::string_view(bytes).substr(offset), 0)); });
}
BENCHMARK(FoldFromMemory)
    ->ArgNames({"length", "offset"})
    ->Args({1'000'000, 0})
    ->Args({10'000'000, 0})
    ->Args({10'000'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// As a round does it: a complete, verified update is read back from the spool and added. A large one comes from the
// disk: it left memory as it arrived.
void FoldFromSpool(benchmark::State& state) {
  const auto length = static_cast<size_t>(state.range(0));
  const ScratchFolder folder;
  const std::string bytes = UpdateOf(length);
  const BlobName update{.digest = Sha256::Of(bytes), .size = bytes.size()};
  const std::shared_ptr<UploadSpool> spool = *UploadSpool::Open(folder.path() + "/round", bytes.size());
  ManualExecutor executor;
  FoldLine line(spool, executor);
  std::vector<StoreId> stores;
  for (int i = 0; i < kTurns; ++i) {
    stores.push_back(*StoreId::Parse("store-" + std::to_string(i)));
    const auto session = *spool->Begin(stores.back(), update, 0);
    if (!session->Append(bytes).ok() || !session->Finish()->complete) return state.SkipWithError("the spool failed");
  }
  line.Fold(stores[0], update, [](const Status&) {});
  executor.RunDue();  // Touches the sum's memory, as the first update of a round does.
  line.Take({stores[0]}, [](StatusOr<ModularSum>) {});
  executor.RunDue();
  size_t next = 0;
  Compare(state, length, MachineAdd(length), [&] {
    line.Fold(stores[next++], update, [&](const Status& folded) {
      if (!folded.ok()) state.SkipWithError(folded.ToString().c_str());
    });
    executor.RunDue();
  });
}
BENCHMARK(FoldFromSpool)
    ->ArgName("length")
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace
}  // namespace aisle

BENCHMARK_MAIN();
