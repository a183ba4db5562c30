// What goes wrong, by name, as scenarios say it. A fault happens again and again, at times that are drawn, until the
// faults end.
//
//   kill         kill -9 of the machine's process; it starts again after `lasts`
//   power_cut    the same, and its disk forgets what wasn't synced
//   kill_inside  kill -9 in the middle of what it does: at one of its next `amount` changes of the disk
//   cut_inside   the same, as a power cut
//   partition    its link is dead for `lasts`
//   sleep        the machine stands still for `lasts`: no process, and nothing lost
//   full_disk    for `lasts`, up to `amount` bytes fit on its disk beside what is there
//   failing_syncs    for `lasts` every sync of its disk fails, and what it was for may be lost
//   failing_commits  up to `amount` commits of headquarters' state find no room
//   clock_jump   its clock is set wrong by up to `amount` seconds either way, and right again after `lasts`
//   clock_drift  for `lasts` its clock runs too fast or too slowly, by up to `amount` (0.01: 1 %)
//   lie, other_version   for `lasts` the store says what isn't so, or speaks another version (lies.h)
//   replay       something that a store said lately is said again
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/random.h"
#include "tests/simulation/scenario.h"

namespace aisle::simulation {

class Machine;
class World;

// One occurrence, to that machine. What lasts ends by itself, by World::Later. What the world is in when faults end is
// mended by World::EndFaults, which starts every machine and heals the network; a kind with a state of its own adds to
// that by World::AtFaultsEnd.
struct FaultCase {
  World& world;
  Machine& machine;
  const FaultScript& script;
  RandomSource& random;
  absl::Duration lasts;  // Drawn.
};
using Fault = std::function<void(const FaultCase&)>;

// By name. A new kind is a function here and a line above.
const std::map<std::string, Fault, std::less<>>& Faults();

}  // namespace aisle::simulation
