// The coordinator's data plane without the network: receiving updates (hash, write, sync), folding them meanwhile,
// reading blobs, and writing down what happened.
#include <benchmark/benchmark.h>

#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "bench/scratch_folder.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/catalog/rocks_state_store.h"
#include "coordinator/uploads/fold_line.h"
#include "coordinator/uploads/upload_spool.h"

namespace aisle {
namespace {

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

StoreId StoreNumbered(size_t number) { return *StoreId::Parse("store-" + std::to_string(number)); }

bool Receive(UploadSpool& spool, const StoreId& store, const BlobName& update, std::string_view bytes) {
  const auto session = spool.Begin(store, update, 0);
  if (!session.ok()) return false;
  for (size_t at = 0; at < bytes.size(); at += kChunkSize) {
    if (!(*session)->Append(bytes.substr(at, kChunkSize)).ok()) return false;
  }
  const auto status = (*session)->Finish();
  return status.ok() && status->complete;
}

// One update: hashed, written, verified, synced, renamed.
void ReceiveUpdate(benchmark::State& state) {
  const std::string bytes = Bytes(static_cast<size_t>(state.range(0)));
  const BlobName update{.digest = Sha256::Of(bytes), .size = bytes.size()};
  const ScratchFolder folder;
  const auto spool = *UploadSpool::Open(folder.path() + "/round", bytes.size());
  size_t store = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (!Receive(*spool, StoreNumbered(store), update, bytes)) state.SkipWithError("the spool failed");
    state.PauseTiming();
    if (!spool->Forget(StoreNumbered(store++)).ok()) state.SkipWithError("the spool failed");
    state.ResumeTiming();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ReceiveUpdate)
    ->ArgName("bytes")
    ->Arg(4'000)
    ->Arg(4'000'000)
    ->Arg(40'000'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Eight updates received one after another; with `fold`, each is folded on a thread of its own while the next arrives.
void ReceiveRound(benchmark::State& state) {
  constexpr size_t kStores = 8;
  const std::string bytes = Bytes(static_cast<size_t>(state.range(0)));
  const bool fold = state.range(1) != 0;
  const BlobName update{.digest = Sha256::Of(bytes), .size = bytes.size()};
  ThreadExecutor worker("fold");
  for ([[maybe_unused]] auto _ : state) {
    const ScratchFolder folder;
    const std::shared_ptr<UploadSpool> spool = *UploadSpool::Open(folder.path() + "/round", bytes.size());
    FoldLine line(spool, worker);
    std::vector<StoreId> stores;
    for (size_t i = 0; i < kStores; ++i) {
      stores.push_back(StoreNumbered(i));
      if (!Receive(*spool, stores.back(), update, bytes)) return state.SkipWithError("the spool failed");
      if (fold) line.Fold(stores.back(), update, [](const Status&) {});
    }
    std::latch taken(1);
    line.Take(fold ? stores : std::vector<StoreId>(), [&](const StatusOr<ModularSum>& sum) {
      if (!sum.ok()) state.SkipWithError(sum.status().ToString().c_str());
      taken.count_down();
    });
    taken.wait();
    state.PauseTiming();
    if (!UploadSpool::Remove(folder.path() + "/round").ok()) state.SkipWithError("the spool failed");
    state.ResumeTiming();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kStores) * state.range(0));
}
BENCHMARK(ReceiveRound)
    ->ArgNames({"bytes", "fold"})
    ->Args({4'000'000, 0})
    ->Args({4'000'000, 1})
    ->Args({40'000'000, 0})
    ->Args({40'000'000, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void ReadBlob(benchmark::State& state) {
  const ScratchFolder folder;
  const auto blobs = *BlobStore::Open(folder.path());
  const BlobName name = *blobs->Put(Bytes(40'000'000));
  const auto reader = *blobs->Find(name.digest);
  std::string chunk;
  for ([[maybe_unused]] auto _ : state) {
    for (uint64_t at = 0; at < name.size; at += kChunkSize) {
      if (!reader->ReadAt(at, kChunkSize, chunk).ok()) state.SkipWithError("the blob can't be read");
      benchmark::DoNotOptimize(chunk.data());
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(name.size));
}
BENCHMARK(ReadBlob)->Unit(benchmark::kMillisecond);

// `events` journal events in one synced change.
void CommitEvents(benchmark::State& state) {
  const ScratchFolder folder;
  const auto store = *RocksStateStore::Open(folder.path());
  const RoundId round{.job = *JobId::Parse("bench"), .number = 1};
  const std::vector<std::string> events(static_cast<size_t>(state.range(0)), std::string(120, 'e'));
  uint64_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (!store->Commit(StateChange().AppendEvents(round, next, events), Durability::kSynced).ok()) {
      state.SkipWithError("the commit failed");
    }
    next += events.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(CommitEvents)->ArgName("events")->Arg(1)->Arg(100)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace aisle

BENCHMARK_MAIN();
