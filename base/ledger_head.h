// A point of a store's privacy ledger, to be noted elsewhere: so many entries were there, and they were these.
#pragma once

#include <cstdint>

#include "base/digest.h"

namespace aisle {

struct LedgerHead {
  uint64_t entries = 0;
  Digest digest;  // Of the chain up to and with the last of them.
  bool operator==(const LedgerHead&) const = default;
};

}  // namespace aisle
