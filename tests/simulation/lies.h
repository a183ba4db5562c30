// Faults of stores that say what they shouldn't: liars, and programs of another version.
#pragma once

#include "tests/simulation/faults.h"

namespace aisle::simulation {

// Beside what the store truly says, and under its name: its earlier messages once more, its messages with a byte
// changed, cut off, or made up. Each true message is followed by a lie with chance `amount` (0: every other one), for
// `lasts`.
void Lie(const FaultCase& fault);
// Something that some store said lately is said again.
void Replay(const FaultCase& fault);
// For `lasts` the store's program is the first release's, which knows no secure sum; or a later one, whose every
// message has a field that nobody here knows.
void ChangeVersion(const FaultCase& fault);

}  // namespace aisle::simulation
