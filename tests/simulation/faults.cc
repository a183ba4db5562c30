#include "tests/simulation/faults.h"

#include <algorithm>

#include "tests/simulation/lies.h"
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

// No more than `amount` bytes fit on the disk beside what is there, for a while.
void FillDisk(const FaultCase& fault) {
  Disk& disk = fault.machine.disk();
  const auto empty = [&disk] { disk.SetCapacity(UINT64_MAX); };
  disk.SetCapacity(disk.used() + static_cast<uint64_t>(fault.script.amount * fault.random.Fraction()));
  fault.world.Later(fault.lasts, empty);
  fault.world.AtFaultsEnd(empty);
}

void FailSyncs(const FaultCase& fault) {
  Disk& disk = fault.machine.disk();
  const auto mend = [&disk] { disk.MendSyncs(); };
  disk.FailSyncs(fault.random);
  fault.world.Later(fault.lasts, mend);
  fault.world.AtFaultsEnd(mend);
}

// The next commits of headquarters' state, `amount` at most, find no room.
void FailCommits(const FaultCase& fault) {
  const auto count = 1 + fault.random.Below(std::max<uint64_t>(1, static_cast<uint64_t>(fault.script.amount)));
  fault.world.headquarters().FailCommits(ResourceExhausted("the disk is full"), count);
  fault.world.AtFaultsEnd([&world = fault.world] { world.headquarters().FailCommits(OkStatus(), 0); });
}

// Somebody sets the clock, by up to `amount` seconds either way, and after a while sets it right.
void JumpClock(const FaultCase& fault) {
  MachineClock& clock = fault.machine.clock();
  const absl::Duration by = absl::Seconds(fault.script.amount * (2 * fault.random.Fraction() - 1));
  clock.Jump(by);
  fault.world.Later(fault.lasts, [&clock, by] { clock.Jump(-by); });
}

// The clock runs up to `amount` too fast or too slowly for a while; what it has gained or lost by then stays.
void DriftClock(const FaultCase& fault) {
  MachineClock& clock = fault.machine.clock();
  const auto right = [&clock] { clock.SetRate(1); };
  clock.SetRate(1 + fault.script.amount * (2 * fault.random.Fraction() - 1));
  fault.world.Later(fault.lasts, right);
  fault.world.AtFaultsEnd(right);
}

}  // namespace

const std::map<std::string, Fault, std::less<>>& Faults() {
  static const std::map<std::string, Fault, std::less<>> faults = {
      {"kill", Kill},
      {"power_cut", CutPower},
      {"kill_inside", KillInside},
      {"cut_inside", CutInside},
      {"partition", Partition},
      {"sleep", Kill},
      {"full_disk", FillDisk},
      {"failing_syncs", FailSyncs},
      {"failing_commits", FailCommits},
      {"clock_jump", JumpClock},
      {"clock_drift", DriftClock},
      {"lie", Lie},
      {"replay", Replay},
      {"other_version", ChangeVersion},
  };
  return faults;
}

}  // namespace aisle::simulation
