// Plays a scenario with a bug planted in the product, seed after seed, until a check says that something is wrong. Ends
// with 0 if one does, and the check is the one that should.
//
//   mutant SCENARIO SEEDS CHECK
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/log.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

int Hunt(const std::string& path, uint64_t seeds, const std::string& check) {
  SetLogLevel(LogLevel::kOff);
  const StatusOr<Scenario> scenario = Scenario::Load(path);
  if (!scenario.ok()) {
    std::cerr << MessageOf(scenario.status()) << "\n";
    return 2;
  }
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = World(*scenario, seed).Run();
    if (outcome.failures.empty()) continue;
    const std::string& first = outcome.failures.front();
    std::cout << fmt::format("caught with seed {} of {}: {}\n", seed, scenario->name, first);
    if (first.starts_with(check + " at ")) return 0;
    std::cout << fmt::format("but \"{}\" should have caught it first\n", check);
    return 1;
  }
  std::cout << fmt::format("not caught by {} seeds of {}\n", seeds, scenario->name);
  return 1;
}

}  // namespace
}  // namespace aisle::simulation

int main(int argc, char** argv) {
  if (argc == 4) return aisle::simulation::Hunt(argv[1], std::strtoull(argv[2], nullptr, 10), argv[3]);
  std::cerr << "usage: mutant SCENARIO SEEDS CHECK\n";
  return 2;
}
