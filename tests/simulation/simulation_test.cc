// Whole worlds. CI plays every scenario with fixed seeds, and with a few that are fresh in every run and printed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

std::vector<std::string> ScenarioNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(AISLE_SCENARIOS)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// Some two minutes of processor time for all scenarios; sanitizers take five to thirty times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kFixedSeeds = 10;
#else
constexpr uint64_t kFixedSeeds = 80;
#endif

Scenario Named(const std::string& name) {
  return Scenario::Load(fmt::format("{}/{}.toml", AISLE_SCENARIOS, name)).value();
}

// A number from the environment, so that a longer run needs no other program.
uint64_t FromEnvironment(const char* name, uint64_t usual) {
  const char* const text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

void Play(const std::string& name, uint64_t seed) {
  const Outcome outcome = World(Named(name), seed).Run();
  for (const std::string& failure : outcome.failures) {
    ADD_FAILURE() << failure << "\nplay it again: ./dev simulate --scenario tests/simulation/scenarios/" << name
                  << ".toml --first-seed " << seed << " --seeds 1 --log debug";
  }
}

class ScenarioTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SetLogLevel(LogLevel::kOff); }
  void TearDown() override { SetLogLevel(LogLevel::kInfo); }
};

TEST_P(ScenarioTest, HoldsForFixedSeeds) {
  const uint64_t seeds = FromEnvironment("AISLE_SIMULATION_SEEDS", kFixedSeeds);
  for (uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) Play(GetParam(), seed);
}

TEST_P(ScenarioTest, HoldsForAFreshSeed) {
  const uint64_t fresh = FromEnvironment("AISLE_SIMULATION_FRESH", SecureRandom().Below(1'000'000'000));
  std::cout << "fresh seed: " << fresh << "\n";
  Play(GetParam(), fresh);
}

std::string TestNameOf(const ::testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::ranges::replace(name, '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(, ScenarioTest, ::testing::ValuesIn(ScenarioNames()), TestNameOf);

// Whatever the process has done before: the second time all that OpenSSL was asked is remembered (remembered_calls.h).
TEST(WorldTest, IsTheSameForTheSameSeedEventByEvent) {
  SetLogLevel(LogLevel::kOff);
  const Scenario scenario = Named("storms-sum");
  const Outcome first = World(scenario, 7).Run();
  const Outcome second = World(scenario, 7).Run();
  const Outcome other = World(scenario, 8).Run();
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.events, second.events);
  EXPECT_NE(first.trace, other.trace);
}

TEST(ScenarioFileTest, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(Scenario::Parse("description = \"d\"\n[network]\nloss = 0.5\n", "s").ok());
  EXPECT_FALSE(Scenario::Parse("description = \"d\"\nstars = 5\n", "s").ok());
  EXPECT_FALSE(Scenario::Parse("description = \"d\"\n[network]\nloss = 1.5\n", "s").ok());
  EXPECT_FALSE(Scenario::Parse("description = \"d\"\n[[fault]]\nkind = \"comet\"\n", "s").ok());
}

TEST(ScenarioFileTest, EveryKindOfFaultIsInAScenario) {
  std::set<std::string> used;
  for (const std::string& name : ScenarioNames()) {
    for (const FaultScript& fault : Named(name).faults) used.insert(fault.kind);
  }
  for (const auto& [kind, fault] : Faults()) EXPECT_TRUE(used.contains(kind)) << kind;
}

}  // namespace
}  // namespace aisle::simulation
