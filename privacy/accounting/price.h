// What a plan will cost before anybody runs it.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace aisle {

struct PriceQuery {
  double noise_multiplier = 0;  // z_store.
  uint32_t rounds = 1;          // A store takes part in this many.
  double delta = 1e-6;
  uint32_t stores = 1;  // Honest stores in each round's sum: their noise adds up.
};

// All for one privacy unit at `delta`, after `rounds` rounds.
struct Price {
  // What the store's ledger will show: the floor by Renyi accounting, a proven bound for the discrete noise drawn.
  double ledger_epsilon = 0;
  // Against everybody, even if HQ and all other stores collude: z_store, exact Gaussian.
  double floor_epsilon = 0;
  // Against whoever sees only sums over `stores` honest stores: z_store * sqrt(stores), exact Gaussian. Holds where
  // only sums are ever seen, that is under the secure sum; without it, HQ sees each vector and the floor is the
  // promise.
  double aggregate_epsilon = 0;
};

// InvalidArgument naming the number out of range.
StatusOr<Price> PriceOf(const PriceQuery& query);

}  // namespace aisle
