// What our own accountants claim, in the form that the falsifier attacks.
#pragma once

#include <cstdint>

#include "privacy/accounting/rdp.h"
#include "privacy/ledger_account.h"
#include "tests/falsifier/falsifier.h"

namespace aisle {

// The exact profile of the Gaussian mechanism (accounting/gaussian.h).
Claim GaussianClaim(double noise_multiplier);

// The best of all orders, at every epsilon.
Claim RenyiClaim(const RdpCurve& curve);

// What the store's ledger books for a debit in a tier.
Claim BookedClaim(const Debit& debit, Tier tier);

// The tight accountant's claim for `count` releases of the sampled Gaussian (accounting/pld.h).
Claim LossClaim(double sampling_rate, double noise_multiplier, uint64_t count);

// From the definition: integer noise with probabilities proportional to exp(-x^2 / (2 sigma^2)) on an integer that the
// unit moves by `sensitivity`.
Claim DiscreteGaussianClaim(int64_t sigma, int64_t sensitivity);

}  // namespace aisle
