// What a plan will cost before anybody runs it: epsilon by tier, and the noise in the model.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "privacy/contract.h"

namespace aisle {

struct PriceQuery {
  double noise_multiplier = 0;  // z_store.
  uint32_t rounds = 1;          // A store takes part in this many.
  double delta = 1e-6;
  uint32_t stores = 1;  // Honest stores in each round's sum: their noise adds up.
  double sampling_rate = 1;
  uint32_t steps = 1;         // Noised releases in a round: over 1 in mode local-sgd only.
  bool has_aggregate = true;  // False in mode local-sgd, whose noise is inside each store's own training.
};

// All for one privacy unit at `delta`, after `rounds` rounds. By two accountants: Renyi's, as the ledger's filter
// counts (a proven bound for the discrete noise that is drawn), and the tight one: the exact Gaussian without sampling,
// privacy loss distributions with it.
struct Price {
  // The floor, against everybody, even if HQ and all other stores collude: z_store.
  double ledger_epsilon = 0;  // By Renyi.
  double floor_epsilon = 0;   // Tight.
  // The aggregate, against whoever sees only sums over `stores` honest stores: z_store * sqrt(stores). Holds where only
  // sums are ever seen, that is under the secure sum; without it, HQ sees each vector and the floor is the promise. The
  // floor's own where there is no such tier.
  double aggregate_ledger_epsilon = 0;  // By Renyi.
  double aggregate_epsilon = 0;         // Tight.
};

// InvalidArgument naming the number out of range. Some milliseconds with sampling.
StatusOr<Price> PriceOf(const PriceQuery& query);

// The query that a contract (valid, and of any mode but none) asks for after `rounds` rounds of sums over `stores`
// stores.
PriceQuery PriceQueryOf(const PrivacyContract& contract, uint32_t rounds, uint32_t stores);

// The std of the noise in each coordinate of what a round averages, were the contract's cohort `stores` stores: their
// noises' sum over the public divisor. In units of the parameters; over clip_norm it is a share of the most that one
// unit can add. In mode local-sgd: in the mean gradient of each local step, in one store. 0 in mode none.
double NoiseOfMean(const PrivacyContract& contract, uint32_t stores);

}  // namespace aisle
