// A whole chain against one coordinator: thousands of stores, each with its own connection and certificate over mutual
// TLS, held by this process; the coordinator is the product's program, with its own settings.
//
//   arrival   all stores connect and check in; what an idle one costs in memory, and all of them in processor time
//   flat out  check-ins that are answered at once, as many as go: per second of the coordinator's processor time
//   jobs      several jobs at once, their rounds one after another, trainers that take a while
//   outage    the coordinator is killed, stays away, and is started again: how long until every store was answered
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/net/grpc_setup.h"
#include "base/process.h"
#include "bench/load/fleet.h"
#include "bench/loopback/headquarters.h"

namespace aisle {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kMebibyte = 1 << 20;
constexpr std::chrono::seconds kBackLimit{300};

struct Options {
  uint32_t stores = 10'000;
  uint32_t jobs = 3;
  uint32_t cohort = 100;
  uint64_t parameters = 1000;
  double arrival = 20;   // Seconds over which stores connect.
  double idle = 10;      // Seconds of watching them wait.
  double flat_out = 10;  // Seconds.
  size_t at_once = 32;   // Check-ins in flight when flat out.
  double jobs_for = 20;  // Seconds.
  double training = 2;   // Seconds that a trainer takes.
  double outage = 20;    // Seconds.
};

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::string kind;  // "under", "at least", or "": reported only.
  double aim = 0;
};

bool Holds(const Figure& figure) {
  return figure.kind.empty() || (figure.kind == "under" ? figure.value < figure.aim : figure.value >= figure.aim);
}

void SleepFor(double seconds) { std::this_thread::sleep_for(Seconds(seconds)); }

// One run, in the order of its phases.
class LoadRun {
 public:
  explicit LoadRun(const Options& options) : options_(options), update_(options.parameters * 4) {}

  Status Run() {
    AISLE_RETURN_IF_ERROR(SetUp());
    AISLE_RETURN_IF_ERROR(Arrive());
    AISLE_RETURN_IF_ERROR(Wait());
    AISLE_RETURN_IF_ERROR(FlatOut());
    AISLE_RETURN_IF_ERROR(RunJobs());
    AISLE_RETURN_IF_ERROR(Outage());
    fleet_->End();
    headquarters_->KillCoordinator();  // Ends every call that it holds.
    return OkStatus();
  }
  const std::vector<Figure>& figures() const { return figures_; }

 private:
  void Say(std::string name, double value, std::string unit, std::string kind = "", double aim = 0) {
    const Figure& figure = figures_.emplace_back(Figure{std::move(name), value, std::move(unit), std::move(kind), aim});
    const std::string wanted = figure.kind.empty() ? "" : fmt::format("{} {:g}", figure.kind, figure.aim);
    fmt::print("{:52} {:10.2f} {:16} | {:14} {}\n", figure.name, figure.value, figure.unit, wanted,
               Holds(figure) ? "" : "MISSED");
    std::fflush(stdout);
  }
  void SayTimes(const std::string& what, const Quantiles& times) {
    if (times.count == 0) return;
    Say(fmt::format("{}, median", what), times.median, "ms");
    Say(fmt::format("{}, p99 of {}", what, times.count), times.p99, "ms");
  }
  StatusOr<Usage> Coordinator() { return headquarters_->coordinator().usage(); }
  StatusOr<uint32_t> RoundsCommitted() {
    AISLE_ASSIGN_OR_RETURN(const v1::ListJobsResponse jobs, headquarters_->Jobs());
    uint32_t rounds = 0;
    for (const v1::Job& job : jobs.jobs()) rounds += job.rounds_committed();
    return rounds;
  }

  Status SetUp() {
    AISLE_ASSIGN_OR_RETURN(headquarters_, Headquarters::Start({.stores = options_.stores}));
    AISLE_RETURN_IF_ERROR(headquarters_->PrepareJob(options_.parameters, options_.cohort, 10'000));
    AISLE_ASSIGN_OR_RETURN(fleet_, LoadFleet::Make(headquarters_->coordinator().address(), headquarters_->stores(),
                                                   update_, absl::Seconds(options_.training)));
    AISLE_ASSIGN_OR_RETURN(alone_, Coordinator());
    Say("coordinator without stores, memory", static_cast<double>(alone_.resident) / kMebibyte, "MiB");
    return OkStatus();
  }

  Status Arrive() {
    fleet_->StartOver(absl::Seconds(options_.arrival));
    AISLE_ASSIGN_OR_RETURN(const Seconds took, fleet_->AwaitAllAnswered(kBackLimit));
    AISLE_ASSIGN_OR_RETURN(const Usage there, Coordinator());
    Say(fmt::format("{} stores arrive, the last one answered", options_.stores), took.count(), "s");
    Say("the coordinator's processor time for it, of a store",
        (there.cpu_seconds - alone_.cpu_seconds) * 1e3 / stores(), "ms");
    return OkStatus();
  }

  Status Wait() {
    AISLE_ASSIGN_OR_RETURN(const Usage before, Coordinator());
    SleepFor(options_.idle);
    AISLE_ASSIGN_OR_RETURN(const Usage after, Coordinator());
    Say("coordinator with all stores idle, memory", static_cast<double>(after.resident) / kMebibyte, "MiB");
    Say("an idle store, memory at the coordinator",
        (static_cast<double>(after.resident) - static_cast<double>(alone_.resident)) / 1024 / stores(), "KiB");
    Say("all stores idle, processor", (after.cpu_seconds - before.cpu_seconds) / options_.idle * 100, "% of a core");
    return OkStatus();
  }

  Status FlatOut() {
    fleet_->Park();
    AISLE_ASSIGN_OR_RETURN(const Usage before, Coordinator());
    fleet_->tally().TakeQuantiles(Tally::Call::kCheckIn);
    fleet_->Probe({.at_once = options_.at_once, .duration = Seconds(options_.flat_out)});
    AISLE_ASSIGN_OR_RETURN(const Usage after, Coordinator());
    const Quantiles times = fleet_->tally().TakeQuantiles(Tally::Call::kCheckIn);
    const auto count = static_cast<double>(times.count);
    Say("check-ins flat out", count / options_.flat_out, "/s");
    Say("check-ins per second of the coordinator's processor time", count / (after.cpu_seconds - before.cpu_seconds),
        "/s", "at least", 1000);
    SayTimes("check-in flat out", times);
    fleet_->GoOn();
    fleet_->StartOver(absl::Seconds(options_.arrival / 2));
    return OkStatus();
  }

  Status RunJobs() {
    for (uint32_t i = 0; i < options_.jobs; ++i) {
      AISLE_RETURN_IF_ERROR(headquarters_->SubmitJob(fmt::format("load-{}", i)));
    }
    AISLE_ASSIGN_OR_RETURN(const Usage before, Coordinator());
    fleet_->Probe({.pause = absl::Milliseconds(10), .idle_only = true, .duration = Seconds(options_.jobs_for)});
    AISLE_ASSIGN_OR_RETURN(const Usage after, Coordinator());
    AISLE_ASSIGN_OR_RETURN(const uint32_t rounds, RoundsCommitted());
    if (options_.jobs == 0) return OkStatus();
    Say(fmt::format("rounds of {} jobs with {} stores each", options_.jobs, options_.cohort),
        rounds / options_.jobs_for, "/s");
    Say("processor with these jobs", (after.cpu_seconds - before.cpu_seconds) / options_.jobs_for * 100, "% of a core");
    SayTimes("check-in with these jobs", fleet_->tally().TakeQuantiles(Tally::Call::kCheckIn));
    SayTimes("report with these jobs", fleet_->tally().TakeQuantiles(Tally::Call::kReport));
    SayTimes("upload with these jobs", fleet_->tally().TakeQuantiles(Tally::Call::kUpload));
    return OkStatus();
  }

  Status Outage() {
    AISLE_ASSIGN_OR_RETURN(const Usage peak, Coordinator());
    const uint32_t rounds_before = options_.jobs == 0 ? 0 : 1;
    fleet_->SetAway(true);
    headquarters_->KillCoordinator();
    SleepFor(options_.outage);
    AISLE_RETURN_IF_ERROR(headquarters_->RestartCoordinator());
    fleet_->SetAway(false);
    const uint64_t unanswered = fleet_->tally().unanswered();
    AISLE_ASSIGN_OR_RETURN(const uint32_t rounds, RoundsCommitted());
    AISLE_ASSIGN_OR_RETURN(const Seconds back, fleet_->AwaitAllAnswered(kBackLimit));
    Say(fmt::format("all {} stores back after an outage of {:g} s", options_.stores, options_.outage), back.count(),
        "s", "under", 120);
    Say("calls without an answer after the restart", static_cast<double>(fleet_->tally().unanswered() - unanswered),
        "");
    AISLE_ASSIGN_OR_RETURN(const uint32_t rounds_after, RoundsCommitted());
    if (rounds_after < rounds + rounds_before) return Internal("no round was committed after the restart");
    AISLE_ASSIGN_OR_RETURN(const Usage usage, Coordinator());
    Say("coordinator's peak memory", static_cast<double>(std::max(peak.resident_peak, usage.resident_peak)) / kMebibyte,
        "MiB", "under", 2048);
    double rejected = 0;
    for (const auto& [what, times] : fleet_->tally().rejections()) {
      rejected += static_cast<double>(times);
      fmt::print(stderr, "  {} calls were refused with {}\n", times, what);
    }
    Say("calls refused", rejected, "", "under", 1);
    return OkStatus();
  }

  double stores() const { return options_.stores; }

  const Options options_;
  const TrivialUpdate update_;
  std::unique_ptr<Headquarters> headquarters_;
  std::unique_ptr<LoadFleet> fleet_;  // Goes before its coordinator.
  Usage alone_;
  std::vector<Figure> figures_;
};

// A descriptor for every store on either side.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--stores", options.stores, "Stores [10000]")->check(CLI::PositiveNumber);
  app.add_option("--jobs", options.jobs, "Jobs at once [3]");
  app.add_option("--cohort", options.cohort, "Stores in a round [100]")->check(CLI::PositiveNumber);
  app.add_option("--parameters", options.parameters, "Of the model [1000]")->check(CLI::PositiveNumber);
  app.add_option("--arrival", options.arrival, "Seconds over which the stores connect [20]");
  app.add_option("--idle", options.idle, "Seconds of watching them wait [10]");
  app.add_option("--flat-out", options.flat_out, "Seconds of check-ins flat out [10]");
  app.add_option("--at-once", options.at_once, "Check-ins in flight when flat out [32]")->check(CLI::PositiveNumber);
  app.add_option("--jobs-for", options.jobs_for, "Seconds of jobs [20]");
  app.add_option("--training", options.training, "Seconds that a trainer takes [2]");
  app.add_option("--outage", options.outage, "Seconds for which the coordinator is away [20]");
}

}  // namespace
}  // namespace aisle

int main(int argc, char** argv) {
  CLI::App app("A chain of simulated stores against one coordinator.");
  aisle::Options options;
  std::string out;
  std::string format;
  aisle::AddOptions(app, options);
  app.add_option("--benchmark_out", out, "Also write the figures to this file, as JSON");
  app.add_option("--benchmark_out_format", format, "json, the only one")->check(CLI::IsMember({"json"}));
  CLI11_PARSE(app, argc, argv);
  aisle::RaiseDescriptorLimit();
  aisle::SetUpGrpc();
  aisle::LoadRun run(options);
  const aisle::Status ran = run.Run();
  if (!ran.ok()) fmt::print(stderr, "load_bench: {}\n", aisle::MessageOf(ran));
  nlohmann::json results = nlohmann::json::array();
  for (const aisle::Figure& figure : run.figures()) {
    results.push_back({{"name", figure.name},
                       {"value", figure.value},
                       {"unit", figure.unit},
                       {"kind", figure.kind},
                       {"aim", figure.aim}});
  }
  if (!out.empty()) std::ofstream(out) << nlohmann::json{{"benchmarks", results}}.dump(2) << "\n";
  return ran.ok() ? 0 : 1;
}
