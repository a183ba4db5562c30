#include "coordinator/stores/ledger_standing.h"

#include <fmt/format.h>

#include "base/cover.h"

namespace aisle {

LedgerStanding Judge(LedgerStanding known, const LedgerClaim& claim) {
  if (claim.halted) {
    AISLE_COVER("ledger_standing.halted");
    if (known.trouble.empty()) {
      known.trouble = "the store found its privacy ledger cut, edited or rolled back, and spends nothing";
    }
    return known;
  }
  if (!known.acknowledged) return {.acknowledged = claim.head, .trouble = {}};
  const LedgerHead& acknowledged = *known.acknowledged;
  const bool behind = claim.head.entries < acknowledged.entries;
  const bool other = claim.head.entries == acknowledged.entries && claim.head.digest != acknowledged.digest;
  if (behind || other) {
    AISLE_COVER("ledger_standing.behind");
    known.trouble = fmt::format("the privacy ledger was {}: it shows {} entries, and {} were acknowledged",
                                behind ? "cut or rolled back" : "rewritten", claim.head.entries, acknowledged.entries);
    return known;
  }
  if (claim.verified == known.acknowledged) return {.acknowledged = claim.head, .trouble = {}};
  return known;
}

}  // namespace aisle
