// What headquarters knows of a store's privacy ledger: the last head it acknowledged, so that an old copy of the
// ledger, put back in the store, is noticed. Pure.
//
// Headquarters can't read a ledger, and needn't: it keeps a head (so many entries, and the digest of the chain up to
// them), gives it back at every check-in, and the store looks for it in its own ledger. The head moves forward only
// where the store says that it found the one acknowledged before; so a ledger that was rewritten, and is longer by now,
// can't take the place of the true one. It never moves back.
#pragma once

#include <optional>
#include <string>

#include "base/fleet.h"

namespace aisle {

struct LedgerStanding {
  std::optional<LedgerHead> acknowledged;  // None: the store never said.
  std::string trouble;                     // Why the store is given no tasks; empty if all is well.
  bool operator==(const LedgerStanding&) const = default;
};

// What is known after a check-in that claims `claim`.
LedgerStanding Judge(LedgerStanding known, const LedgerClaim& claim);

}  // namespace aisle
