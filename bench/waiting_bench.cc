// What the programs cost while they wait, and how soon waiting ends.
//
//   idle      memory and processor time of a coordinator and of an enrolled agent that have nothing to do
//   reaches   from the moment that something can be known until the last waiting store has heard of it: a task (from
//             the commit before), the change of phase (from the last report), the commit (from the last upload). What
//             must be made durable in between is in these times; stores are eight, vectors of a thousand parameters.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/check.h"
#include "base/net/grpc_setup.h"
#include "base/storage/files.h"
#include "bench/loopback/headquarters.h"
#include "bench/loopback/trivial_store.h"

namespace aisle {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kStores = 8;
constexpr uint32_t kRounds = 20;
constexpr uint64_t kLength = 1000;

struct Figure {
  std::string name;
  double value = 0;
  double limit = 0;  // The house's goal: below this.
  std::string_view unit;
};
using Figures = std::vector<Figure>;

double MebibytesOf(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// An agent of its own folder, which joins the chain when it starts.
StatusOr<std::unique_ptr<Child>> StartAgent(Headquarters& headquarters) {
  const std::string folder = headquarters.folder() + "/agent";
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  AISLE_ASSIGN_OR_RETURN(const v1::AddStoreResponse invited, headquarters.Invite("idle"));
  const std::string invitation =
      fmt::format("coordinator = \"{}\"\nstore = \"idle\"\nchain = \"bench\"\ncode = \"{}\"\nca_pem = '''\n{}'''\n",
                  headquarters.coordinator().address(), invited.code(), invited.ca_pem());
  AISLE_RETURN_IF_ERROR(WriteFileDurably(folder + "/enrol.toml", invitation, 0600));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(folder + "/tables.toml", "[rows.columns]\nx = {type = \"int64\"}\n"));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(folder + "/agent.toml", "metrics_listen = \"127.0.0.1:0\"\n"));
  return Child::Start({ProgramPath("aisle-agent"), "--config", folder + "/agent.toml"});
}

StatusOr<Figures> MeasureIdle(Headquarters& headquarters, std::chrono::seconds duration) {
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<Child> agent, StartAgent(headquarters));
  std::this_thread::sleep_for(std::chrono::seconds(3));  // Until it has joined and waits.
  AISLE_ASSIGN_OR_RETURN(const Usage before, agent->usage());
  AISLE_ASSIGN_OR_RETURN(const Usage coordinator_before, headquarters.coordinator().usage());
  std::this_thread::sleep_for(duration);
  AISLE_ASSIGN_OR_RETURN(const Usage after, agent->usage());
  AISLE_ASSIGN_OR_RETURN(const Usage coordinator, headquarters.coordinator().usage());
  const auto percent = [&](const Usage& from, const Usage& to) {
    return (to.cpu_seconds - from.cpu_seconds) / static_cast<double>(duration.count()) * 100;
  };
  return Figures{{"idle agent, memory", MebibytesOf(after.resident), 40, "MiB"},
                 {"idle agent, processor", percent(before, after), 0.5, "% of a core"},
                 {"idle coordinator, memory", MebibytesOf(coordinator.resident), 80, "MiB"},
                 {"idle coordinator, processor", percent(coordinator_before, coordinator), 0, "% of a core"}};
}

// When the last store came to each moment of each round.
class Moments {
 public:
  void Note(uint32_t round, Moment moment) {
    const std::lock_guard lock(mutex_);
    At(round, moment) = Clock::now();
  }
  // The median over the rounds, in milliseconds; `from` of the round before if it comes later in a round than `to`.
  double Between(Moment from, Moment to) {
    const uint32_t back = from > to ? 1 : 0;
    std::vector<double> times;
    for (uint32_t round = back; round < kRounds; ++round) {
      times.push_back(std::chrono::duration<double, std::milli>(At(round, to) - At(round - back, from)).count());
    }
    std::ranges::sort(times);
    return times[times.size() / 2];
  }

 private:
  Clock::time_point& At(uint32_t round, Moment moment) { return rounds_[round][static_cast<size_t>(moment)]; }
  std::mutex mutex_;
  std::array<std::array<Clock::time_point, 5>, kRounds> rounds_;
};

StatusOr<Figures> MeasureReach(Headquarters& headquarters) {
  const TrivialUpdate update(kLength * 4);
  AISLE_RETURN_IF_ERROR(headquarters.PrepareJob(kLength, kStores, kRounds));
  Moments moments;
  std::vector<std::unique_ptr<TrivialStore>> stores;
  for (uint32_t i = 0; i < kStores; ++i) {
    AISLE_ASSIGN_OR_RETURN(const TlsIdentity identity, headquarters.Enrol(fmt::format("store-{}", i)));
    AISLE_ASSIGN_OR_RETURN(auto store, TrivialStore::Connect(headquarters.coordinator().address(), identity, update));
    store->Watch([&moments, round = uint32_t{0}](Moment moment) mutable {
      moments.Note(round, moment);
      if (moment == Moment::kHeardClosed) ++round;
    });
    stores.push_back(std::move(store));
  }
  std::vector<std::thread> threads;
  std::vector<Status> ended(kStores);
  for (uint32_t i = 0; i < kStores; ++i) {
    threads.emplace_back([&, i] { ended[i] = stores[i]->TakePart(kRounds, [](uint32_t) {}); });
  }
  const Status submitted = headquarters.SubmitJob();
  AISLE_CHECK(submitted.ok(), "{}", MessageOf(submitted));  // The stores would wait for ever.
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : ended) AISLE_RETURN_IF_ERROR(status);
  return Figures{
      {"a task reaches all", moments.Between(Moment::kHeardClosed, Moment::kHeardTask), 50, "ms"},
      {"a change of phase reaches all", moments.Between(Moment::kReporting, Moment::kHeardCollect), 50, "ms"},
      {"a commit reaches all", moments.Between(Moment::kUploading, Moment::kHeardClosed), 50, "ms"}};
}

StatusOr<Figures> MeasureAll(std::chrono::seconds idle) {
  Figures figures;
  {
    AISLE_ASSIGN_OR_RETURN(const auto headquarters, Headquarters::Start());
    AISLE_ASSIGN_OR_RETURN(figures, MeasureIdle(*headquarters, idle));
  }
  // Another one: the first would hold rounds for a moment, since the agent has been there and has yet to have its turn.
  AISLE_ASSIGN_OR_RETURN(const auto headquarters, Headquarters::Start());
  AISLE_ASSIGN_OR_RETURN(const Figures reach, MeasureReach(*headquarters));
  figures.insert(figures.end(), reach.begin(), reach.end());
  return figures;
}

void Print(const Figure& figure) {
  const std::string goal = figure.limit == 0 ? "" : fmt::format("under {:g}", figure.limit);
  fmt::print("{:32} {:8.2f} {:12} | {:10} {}\n", figure.name, figure.value, figure.unit, goal,
             figure.limit == 0 || figure.value < figure.limit ? "" : "over");
}

}  // namespace
}  // namespace aisle

int main(int argc, char** argv) {
  CLI::App app("What a coordinator and an agent cost while they wait, and how soon a waiting store hears.");
  uint32_t seconds = 20;
  std::string out;
  std::string format;
  app.add_option("--idle-seconds", seconds, "How long to watch the idle programs [20]")->check(CLI::PositiveNumber);
  app.add_option("--benchmark_out", out, "Also write the figures to this file, as JSON");
  app.add_option("--benchmark_out_format", format, "json, the only one")->check(CLI::IsMember({"json"}));
  CLI11_PARSE(app, argc, argv);
  aisle::SetUpGrpc();
  const auto figures = aisle::MeasureAll(std::chrono::seconds(seconds));
  if (!figures.ok()) {
    fmt::print(stderr, "waiting_bench: {}\n", aisle::MessageOf(figures.status()));
    return 1;
  }
  nlohmann::json results = nlohmann::json::array();
  for (const aisle::Figure& figure : *figures) {
    aisle::Print(figure);
    results.push_back({{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}, {"limit", figure.limit}});
  }
  if (!out.empty()) std::ofstream(out) << nlohmann::json{{"benchmarks", results}}.dump(2) << "\n";
  return 0;
}
