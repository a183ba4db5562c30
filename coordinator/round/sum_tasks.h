// What a store is to do for the secure sum, put together from what the round knows. Every task follows from journalled
// events alone, so it can be given again at any time, also by a coordinator that was killed and started anew.
#pragma once

#include "base/fleet.h"
#include "coordinator/round/phase.h"

namespace aisle {

AdvertiseInstruction TaskIn(const Advertising& phase, const RoundId& round);
// `head` is the cohort's own, signed. `store` is in the cohort, here and below, else it is our bug.
ShareInstruction TaskIn(const Sharing& phase, const RoundId& round, const StoreId& store, RosterHead head);
// Its inbox only under the secure sum.
CollectInstruction TaskIn(const Collecting& phase, const RoundId& round, const StoreId& store);
ConfirmInstruction TaskIn(const Confirming& phase, const RoundId& round);
UnmaskInstruction TaskIn(const Unmasking& phase, const RoundId& round, const StoreId& store);

}  // namespace aisle
