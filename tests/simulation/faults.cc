#include "tests/simulation/faults.h"

#include <algorithm>

#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

void StartLater(const FaultCase& fault) {
  fault.world.Later(fault.lasts, [&machine = fault.machine] { machine.Start(); });
}

void Kill(const FaultCase& fault) {
  fault.machine.Kill();
  StartLater(fault);
}

void CutPower(const FaultCase& fault) {
  fault.machine.LosePower();
  StartLater(fault);
}

// Whether it dies, and when, depends on what it does; it is started in any case.
void DieInside(const FaultCase& fault, bool power) {
  const auto most = std::max<uint64_t>(1, static_cast<uint64_t>(fault.script.amount));
  fault.machine.DieAtChange(1 + fault.random.Below(most), power);
  fault.world.Later(fault.lasts, [&world = fault.world, &machine = fault.machine] {
    machine.DieAtChange(0, false);
    machine.Start();
  });
}

void KillInside(const FaultCase& fault) { DieInside(fault, false); }
void CutInside(const FaultCase& fault) { DieInside(fault, true); }

void Partition(const FaultCase& fault) {
  const auto part = [&world = fault.world](const StoreId& store, absl::Duration lasts) {
    world.network().Part(store);
    world.Later(lasts, [&world, store] { world.network().Heal(store); });
  };
  for (const auto& store : fault.world.stores()) {
    const bool all = &fault.machine == &fault.world.headquarters();
    if (all || store.get() == &fault.machine) part(store->id(), fault.lasts);
  }
}

}  // namespace

const std::map<std::string, Fault, std::less<>>& Faults() {
  static const std::map<std::string, Fault, std::less<>> faults = {
      {"kill", Kill},           {"power_cut", CutPower}, {"kill_inside", KillInside}, {"cut_inside", CutInside},
      {"partition", Partition}, {"sleep", Kill},
  };
  return faults;
}

}  // namespace aisle::simulation
