// aisle-simulation: plays scenarios, each with one seed after another, and says what a failure needs to be played
// again.
#include <CLI/CLI.hpp>

#include <ctime>
#include <filesystem>
#include <iostream>

#include "base/log.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

struct Options {
  std::vector<std::string> scenarios;
  uint64_t first_seed = 1;
  uint64_t seeds = 10;
  std::string log = "off";
};

struct Totals {
  uint64_t worlds = 0;
  uint64_t failed = 0;
  uint64_t store_rounds = 0;
  uint64_t store_rounds_begun = 0;
  uint64_t events = 0;
  absl::Duration virtual_time;
};

// Of this process, which has one thread: however busy the machine is with other work.
double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The files that were named, or all there are.
std::vector<std::string> ScenarioFiles(const std::vector<std::string>& named) {
  if (!named.empty()) return named;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(AISLE_SCENARIOS)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

void Play(const Scenario& scenario, const std::string& path, uint64_t seed, Totals& totals) {
  const Outcome outcome = World(scenario, seed).Run();
  ++totals.worlds;
  totals.store_rounds += outcome.store_rounds;
  totals.store_rounds_begun += outcome.store_rounds_begun;
  totals.events += outcome.events;
  totals.virtual_time += outcome.virtual_time;
  std::cout << fmt::format("{} seed {}: {} rounds committed, {} aborted, {} faults, {} events, trace {}\n",
                           scenario.name, seed, outcome.rounds_committed, outcome.rounds_aborted, outcome.faults,
                           outcome.events, outcome.trace.ShortHex())
            << std::flush;
  if (outcome.failures.empty()) return;
  ++totals.failed;
  for (const std::string& failure : outcome.failures) std::cout << "  FAILED: " << failure << "\n";
  std::cout << fmt::format("  play it again: ./dev simulate --scenario {} --first-seed {} --seeds 1 --log debug\n",
                           std::filesystem::relative(path, AISLE_ROOT).string(), seed);
}

int Run(const Options& options) {
  const StatusOr<LogLevel> level = ParseLogLevel(options.log);
  if (!level.ok()) {
    std::cerr << MessageOf(level.status()) << "\n";
    return 2;
  }
  SetLogLevel(*level);
  bool failed = false;
  for (const std::string& path : ScenarioFiles(options.scenarios)) {
    const StatusOr<Scenario> scenario = Scenario::Load(path);
    if (!scenario.ok()) {
      std::cerr << MessageOf(scenario.status()) << "\n";
      return 2;
    }
    Totals totals;
    const double began = ProcessorSeconds();
    for (uint64_t i = 0; i < options.seeds; ++i) Play(*scenario, path, options.first_seed + i, totals);
    const double seconds = ProcessorSeconds() - began;
    std::cout << fmt::format(
        "{}: {} worlds, {} failed, {} virtual hours, {} store-rounds of {} begun; per second of processor time "
        "{:.0f} store-rounds, {:.0f} events, {:.0f} virtual hours\n",
        scenario->name, totals.worlds, totals.failed, absl::ToInt64Hours(totals.virtual_time), totals.store_rounds,
        totals.store_rounds_begun, static_cast<double>(totals.store_rounds) / seconds,
        static_cast<double>(totals.events) / seconds, absl::ToDoubleHours(totals.virtual_time) / seconds);
    failed = failed || totals.failed > 0;
  }
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace aisle::simulation

int main(int argc, char** argv) {
  CLI::App app("Plays a chain of stores in virtual time, with everything going wrong that a scenario says.");
  aisle::simulation::Options options;
  app.add_option("--scenario", options.scenarios, "scenario files (default: all of tests/simulation/scenarios)");
  app.add_option("--first-seed", options.first_seed, "the first seed")->capture_default_str();
  app.add_option("--seeds", options.seeds, "how many seeds, one after another")->capture_default_str();
  app.add_option("--log", options.log, "debug, info, warning, error or off")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return aisle::simulation::Run(options);
}
