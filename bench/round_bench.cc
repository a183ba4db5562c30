// Whole rounds on loopback: one coordinator process, and K trivial stores held by this one, over mutual TLS. Beside
// each, in the same run, a bare server that moves the same bytes both ways over as many streams and keeps nothing.
//
//   wall      from one commit reaching the last store to the next: selection, download, report, upload, sum, publishing
//   cpu       of the server process, per round
//   peak RSS  of the server process
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <latch>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/net/grpc_setup.h"
#include "bench/loopback/headquarters.h"
#include "bench/loopback/trivial_store.h"

namespace aisle {
namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  uint64_t length = 0;  // Parameters.
  uint32_t stores = 0;
  uint32_t rounds = 0;
};
struct Cost {
  double wall = 0;  // Seconds per round, the median.
  double cpu = 0;   // Seconds of the server per round.
  uint64_t resident_peak = 0;
};
struct Result {
  Case what;
  Cost round;
  Cost bare;
};

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

using Stores = std::vector<std::unique_ptr<TrivialStore>>;

StatusOr<Stores> Connect(const std::string& address, const std::vector<TlsIdentity>& identities,
                         const TrivialUpdate& update) {
  Stores stores;
  for (const TlsIdentity& identity : identities) {
    AISLE_ASSIGN_OR_RETURN(auto store, TrivialStore::Connect(address, identity, update));
    stores.push_back(std::move(store));
  }
  return stores;
}

// Runs `act` for every store at once; the first error, if any.
template <typename Act>
class Crowd {
 public:
  Crowd(Stores& stores, Act act) : act_(std::move(act)) {
    for (auto& store : stores) threads_.emplace_back([this, &store] { Run(*store); });
  }
  ~Crowd() { static_cast<void>(Join()); }
  Status Join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    return status_;
  }

 private:
  void Run(TrivialStore& store) {
    const Status status = act_(store);
    const std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = status;
  }
  Act act_;
  std::mutex mutex_;
  Status status_;  // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

StatusOr<Cost> MeasureBare(const Case& what, const Headquarters& headquarters,
                           const std::vector<TlsIdentity>& identities, const TrivialUpdate& update) {
  const uint64_t down = headquarters.weights_size();
  AISLE_ASSIGN_OR_RETURN(const auto server, Child::Start({ProgramPath("bare_server"), headquarters.identity_folder(),
                                                          std::to_string(down)}));
  AISLE_ASSIGN_OR_RETURN(Stores stores, Connect(server->address(), identities, update));
  const RoundId round{.job = *JobId::Parse("bench"), .number = 1};
  AISLE_ASSIGN_OR_RETURN(const Usage before, server->usage());
  std::vector<double> walls;
  for (uint32_t turn = 0; turn < what.rounds; ++turn) {
    const Clock::time_point begin = Clock::now();
    Crowd crowd(stores, [&](TrivialStore& store) -> Status {
      AISLE_RETURN_IF_ERROR(store.Download(update.name().digest, down));
      return store.Upload(round);
    });
    AISLE_RETURN_IF_ERROR(crowd.Join());
    walls.push_back(SecondsSince(begin));
  }
  AISLE_ASSIGN_OR_RETURN(const Usage after, server->usage());
  return Cost{.wall = Median(walls),
              .cpu = (after.cpu_seconds - before.cpu_seconds) / what.rounds,
              .resident_peak = after.resident_peak};
}

Status AwaitWaiting(Headquarters& headquarters, uint32_t stores) {
  for (int tries = 0; tries < 3000; ++tries) {
    AISLE_ASSIGN_OR_RETURN(const v1::Overview overview, headquarters.Overview());
    if (overview.stores_waiting() >= stores) return OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Unavailable("the {} stores never all waited", stores);
}

StatusOr<Cost> MeasureRounds(const Case& what, Headquarters& headquarters, const std::vector<TlsIdentity>& identities,
                             const TrivialUpdate& update) {
  AISLE_ASSIGN_OR_RETURN(Stores stores, Connect(headquarters.coordinator().address(), identities, update));
  std::mutex mutex;
  std::vector<Clock::time_point> closed(what.rounds + 1);  // When the last store heard of each commit.
  Crowd crowd(stores, [&](TrivialStore& store) {
    return store.TakePart(what.rounds, [&](uint32_t done) {
      const std::lock_guard lock(mutex);
      closed[done] = Clock::now();
    });
  });
  AISLE_RETURN_IF_ERROR(AwaitWaiting(headquarters, what.stores));
  AISLE_ASSIGN_OR_RETURN(const Usage before, headquarters.coordinator().usage());
  closed[0] = Clock::now();
  AISLE_RETURN_IF_ERROR(headquarters.SubmitJob());
  AISLE_RETURN_IF_ERROR(crowd.Join());
  AISLE_ASSIGN_OR_RETURN(const Usage after, headquarters.coordinator().usage());
  std::vector<double> walls;
  for (size_t i = 1; i < closed.size(); ++i) {
    walls.push_back(std::chrono::duration<double>(closed[i] - closed[i - 1]).count());
  }
  return Cost{.wall = Median(walls),
              .cpu = (after.cpu_seconds - before.cpu_seconds) / what.rounds,
              .resident_peak = after.resident_peak};
}

StatusOr<Result> Measure(const Case& what) {
  const TrivialUpdate update(what.length * 4);
  AISLE_ASSIGN_OR_RETURN(const auto headquarters, Headquarters::Start());
  AISLE_RETURN_IF_ERROR(headquarters->PrepareJob(what.length, what.stores, what.rounds));
  std::vector<TlsIdentity> identities;
  for (uint32_t i = 0; i < what.stores; ++i) {
    AISLE_ASSIGN_OR_RETURN(TlsIdentity identity, headquarters->Enrol("store-" + std::to_string(i)));
    identities.push_back(std::move(identity));
  }
  Result result{.what = what};
  AISLE_ASSIGN_OR_RETURN(result.bare, MeasureBare(what, *headquarters, identities, update));
  AISLE_ASSIGN_OR_RETURN(result.round, MeasureRounds(what, *headquarters, identities, update));
  return result;
}

double MebibytesOf(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// The house's goals; empty where there is none.
std::string Verdict(const Result& result) {
  const double ratio = result.round.wall / result.bare.wall;
  std::string verdict;
  if (result.what.length >= 1'000'000) verdict += ratio <= 2 ? "wall ok" : "wall over 2x";
  if (result.what.length == 1000 && result.what.stores == 100) {
    verdict += result.round.wall < 0.150 ? "wall ok" : "wall over 150 ms";
  }
  if (result.what.length == 10'000'000 && result.what.stores == 100) {
    const uint64_t limit = 3 * result.what.length * 4 + (uint64_t{128} << 20);
    verdict += result.round.resident_peak < limit ? ", memory ok" : ", memory over 3x model + 128 MiB";
  }
  return verdict;
}

void PrintHead() {
  std::printf("%10s %7s | %10s %10s %6s | %9s %9s | %9s %9s |\n", "parameters", "stores", "round ms", "bare ms",
              "ratio", "cpu s", "bare", "peak MiB", "bare");
}

void Print(const Result& result) {
  std::printf("%10llu %7u | %10.1f %10.1f %6.2f | %9.3f %9.3f | %9.1f %9.1f | %s\n",
              static_cast<unsigned long long>(result.what.length), result.what.stores, result.round.wall * 1e3,
              result.bare.wall * 1e3, result.round.wall / result.bare.wall, result.round.cpu, result.bare.cpu,
              MebibytesOf(result.round.resident_peak), MebibytesOf(result.bare.resident_peak), Verdict(result).c_str());
  std::fflush(stdout);
}

nlohmann::json JsonOf(const Result& result) {
  return {{"name", "Round/" + std::to_string(result.what.length) + "/" + std::to_string(result.what.stores)},
          {"rounds", result.what.rounds},
          {"real_time", result.round.wall * 1e3},
          {"time_unit", "ms"},
          {"bare_ms", result.bare.wall * 1e3},
          {"ratio", result.round.wall / result.bare.wall},
          {"cpu_seconds", result.round.cpu},
          {"bare_cpu_seconds", result.bare.cpu},
          {"resident_peak_bytes", result.round.resident_peak},
          {"bare_resident_peak_bytes", result.bare.resident_peak},
          {"verdict", Verdict(result)}};
}

// Enough rounds for a median where rounds are short; two where each moves gigabytes.
uint32_t RoundsFor(uint64_t length, uint32_t stores) {
  const uint64_t bytes = length * 4 * stores;
  return bytes < (uint64_t{16} << 20) ? 15 : bytes < (uint64_t{1} << 30) ? 5 : 2;
}

}  // namespace
}  // namespace aisle

int main(int argc, char** argv) {
  CLI::App app("Rounds of a coordinator and trivial stores on loopback, beside the bare transport.");
  std::vector<uint64_t> lengths = {1'000, 1'000'000, 10'000'000};
  std::vector<uint32_t> stores = {8, 32, 100};
  uint32_t rounds = 0;
  std::string out;
  std::string format;
  app.add_option("--lengths", lengths, "Model sizes, in parameters")->delimiter(',');
  app.add_option("--stores", stores, "Stores per round")->delimiter(',');
  app.add_option("--rounds", rounds, "Rounds per case [enough for a median]");
  app.add_option("--benchmark_out", out, "Also write the figures to this file, as JSON");
  app.add_option("--benchmark_out_format", format, "json, the only one")->check(CLI::IsMember({"json"}));
  CLI11_PARSE(app, argc, argv);
  aisle::SetUpGrpc();
  nlohmann::json results = nlohmann::json::array();
  aisle::PrintHead();
  int exit_code = 0;
  for (const uint64_t length : lengths) {
    for (const uint32_t count : stores) {
      const auto result = aisle::Measure(
          {.length = length, .stores = count, .rounds = rounds == 0 ? aisle::RoundsFor(length, count) : rounds});
      if (!result.ok()) {
        std::fprintf(stderr, "%llu parameters, %u stores: %s\n", static_cast<unsigned long long>(length), count,
                     result.status().ToString().c_str());
        exit_code = 1;
        continue;
      }
      aisle::Print(*result);
      results.push_back(aisle::JsonOf(*result));
    }
  }
  if (!out.empty()) std::ofstream(out) << nlohmann::json{{"benchmarks", results}}.dump(2) << "\n";
  return exit_code;
}
