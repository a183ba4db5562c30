// What a store makes sure of before it deals a share: that the roster is headquarters' word, that the store is in it
// with the keys it sent, that its neighbours follow from everybody's nonces, and that each is a store of this chain
// which means this cohort.
#pragma once

#include "base/secure_sum.h"
#include "privacy/secagg/answer.h"
#include "privacy/secagg/member_state.h"
#include "privacy/secagg/trust.h"

namespace aisle::secagg {

// The roster to pin, but for `dealt_signature`. The reasons are those of Member::Share.
Answer<PinnedRoster> CheckRoster(const MemberState& state, const ShareInstruction& instruction, const Trust& trust);

}  // namespace aisle::secagg
