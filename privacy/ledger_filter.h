// When a population has spent enough: the site's caps, and the filter that holds debits against them.
//
// The filter is Feldman and Zrnic 2021 ("Individual Privacy Accounting via a Renyi Filter"): it stops before the sum of
// Renyi costs at one order passes the budget the cap gives at that order, and so holds for debits that are chosen
// adaptively, in sight of everything released before. The order must not depend on outcomes: it is fixed by the cap and
// the population's first debit in that tier, as the one that allows most repeats of that debit.
//
// A year's cap is asked of the 365 days that end with the debit. That is enough for every 365 days whatever: take a
// window that is over the cap, and its last debit; the window that ends with this debit contains all the others, so the
// filter, which looked at it then, would have refused. What lies before a window is, for the mechanisms in it, a fixed
// past that they may have been chosen by, which is the adaptivity that the filter allows.
//
// Times are the ledger's own and never run backwards (ledger.h), so a clock that is set back gives nothing back. One
// that is set forward does: it empties the window once, and the ledger then shows the leap for ever. `floor_ever` is
// the cap that no clock moves.
#pragma once

#include <absl/time/time.h>

#include <limits>

#include "base/status.h"
#include "privacy/ledger_account.h"

namespace aisle {

inline constexpr absl::Duration kSpendingYear = absl::Hours(24 * 365);

// Site policy: the most that each population may lose, in epsilon at `delta`, over all jobs. Infinite: no cap.
struct SpendingCaps {
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  double floor_per_year = kNone;      // In any 365 days, even if HQ and all other stores collude.
  double aggregate_per_year = kNone;  // In any 365 days, towards those who see sums over stores.
  double floor_ever = kNone;          // From the ledger's first day on.
  double delta = 1e-6;
};

// InvalidArgument unless every cap is at least 0 and delta in (0, 1).
Status Validate(const SpendingCaps& caps);

// Where a population would stand after a debit, in epsilon at the caps' delta. Infinite for the unit none.
struct Outlook {
  double floor_year = 0;
  double aggregate_year = 0;
  double floor_ever = 0;
};

// OK, or ResourceExhausted naming population, tier, spent, asked and cap. `account` is the population's, before the
// debit, which is valid and of any unit but none, and would be booked at `at`.
StatusOr<Outlook> PassFilter(const LedgerAccount& account, const Debit& debit, const SpendingCaps& caps, absl::Time at);

}  // namespace aisle
