#include "tests/simulation/scenario.h"

#include <algorithm>
#include <filesystem>

#include "base/config.h"
#include "base/storage/files.h"
#include "tests/simulation/faults.h"

namespace aisle::simulation {
namespace {

void ReadChance(ConfigTable& table, std::string_view key, double& value) {
  table.Read(key, value);
  if (value < 0 || value > 1) table.Refuse(key, "is not a chance between 0 and 1");
}

void ReadPlan(ConfigTable table, PlanScript& plan) {
  table.Read("secure_sum", plan.secure_sum);
  table.Read("rounds", plan.rounds);
  table.Read("cohort_min", plan.cohort_min);
  table.Read("cohort_target", plan.cohort_target);
  table.Read("over_selection", plan.over_selection);
  table.Read("parameters", plan.parameters);
  table.Read("server", plan.server);
  table.ReadDuration("selecting", plan.selecting);
  table.ReadDuration("training", plan.training);
  table.ReadDuration("collecting", plan.collecting);
  table.ReadDuration("summing", plan.summing);
  table.Read("noise_multiplier", plan.noise_multiplier);
  table.Read("floor_cap", plan.floor_cap);
}

void ReadTraining(ConfigTable table, TrainingScript& training) {
  table.ReadDuration("takes_min", training.takes_min);
  table.ReadDuration("takes_max", training.takes_max);
  ReadChance(table, "fails", training.fails);
}

void ReadNetwork(ConfigTable table, LinkConditions& network) {
  table.ReadDuration("delay_min", network.delay_min);
  table.ReadDuration("delay_max", network.delay_max);
  ReadChance(table, "loss", network.loss);
  ReadChance(table, "duplicate", network.duplicate);
  ReadChance(table, "cut", network.cut);
  table.ReadByteCount("piece_max", network.piece_max);
  if (network.delay_max < network.delay_min) table.Refuse("delay_max", "is below delay_min");
  if (network.piece_max == 0) table.Refuse("piece_max", "is zero");
}

FaultScript ReadFault(ConfigTable table) {
  FaultScript fault;
  table.Require("kind", fault.kind);
  table.Read("who", fault.who);
  table.ReadDuration("every", fault.every);
  table.ReadDuration("lasts", fault.lasts);
  table.Read("exact", fault.exact);
  table.ReadDuration("from", fault.from);
  table.Read("amount", fault.amount);
  if (!Faults().contains(fault.kind)) table.Refuse("kind", fmt::format("there is no fault '{}'", fault.kind));
  if (fault.every <= absl::ZeroDuration()) table.Refuse("every", "is zero");
  return fault;
}

void ReadExpectations(ConfigTable table, Expectations& expect) {
  table.ReadDuration("faults_end", expect.faults_end);
  table.ReadDuration("commits_within", expect.commits_within);
  table.Read("rounds_min", expect.rounds_min);
  table.Read("aborted_max", expect.aborted_max);
}

}  // namespace

StatusOr<Scenario> Scenario::Parse(std::string_view toml, std::string_view name) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(toml, name));
  Scenario scenario{.name = std::string(name)};
  root.Require("description", scenario.description);
  root.Read("stores", scenario.stores);
  root.ReadDuration("duration", scenario.duration);
  if (scenario.stores == 0 || scenario.stores > 1000) root.Refuse("stores", "is not in [1, 1000]");
  ReadPlan(root.Child("plan"), scenario.plan);
  ReadTraining(root.Child("training"), scenario.training);
  ReadNetwork(root.Child("network"), scenario.network);
  for (ConfigTable& fault : root.Children("fault")) scenario.faults.push_back(ReadFault(std::move(fault)));
  ReadExpectations(root.Child("expect"), scenario.expect);
  AISLE_RETURN_IF_ERROR(root.Finish());
  return scenario;
}

StatusOr<Scenario> Scenario::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const std::string toml, ReadFile(path));
  return Parse(toml, std::filesystem::path(path).stem().string());
}

}  // namespace aisle::simulation
