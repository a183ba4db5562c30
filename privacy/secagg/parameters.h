// How many neighbours a store has in the secure sum, and how many shares rebuild a secret: the fewest with which,
// whichever stores collude and drop out (as many as assumed, and without a look at the random graph),
//
//   - with probability 1 - 2^-40 the sum stays secret, and
//   - with probability 1 - 2^-20 it comes out.
//
// Bell, Bonawitz, Gascon, Lepoint and Raykova 2020, "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead",
// section 3 (definition 3.5 and theorem 3.10 for good graphs); the same conditions as the parameter finder of Google's
// federated-compute. With n stores, c of them colluding with HQ, degree k and threshold t, the events are
//
//   1. The stores that neither collude nor drop out fall apart in two: on a ring that joins each to the k / 2 before it
//      and after it, that takes two gaps of k / 2 bad stores in a row. Probability under 2^-41.
//   2. Some honest store has so many colluders among its neighbours that t doesn't protect it. Probability under 2^-41.
//   3. Some store has fewer than t surviving neighbours. Probability under 2^-20.
//
// A lying HQ chooses drop-outs after it has seen the graph. Against event 1 the malicious rule's threshold then helps,
// which is above k / 2: docs/decisions/0024 says how far.
//
// What protects a store. A rebuilt mask key or self mask takes t shares, and each store holding one gives one of the
// two kinds only. Let x be the number of colluders among a store's k neighbours; they give both kinds.
//   Semi-honest rule, t > x: colluders alone rebuild nothing. HQ is trusted to tell all stores the same survivors.
//   Malicious rule, 2 t > k + x: two sets of t neighbours have an honest one in common, since the k - x honest ones
//   counted once and the x colluders twice are fewer than 2 t. So HQ can never gather t shares of both kinds of one
//   store's secrets, however it lies about the survivors; nor can a store ever see t neighbours sign each of two
//   survivor roots, as an honest store signs one. It follows that t > x.
//
// For 32 stores or fewer, and wherever no sparse graph will do, the graph is complete: k = n - 1, and x = c for
// certain, so that nothing is left to chance. A store isn't its own neighbour.
//
// Colluders are counted as ceil(corrupt_share * n), at least one: security is rounded against us. Drop-outs as
// floor(dropout_share * n): one more than assumed costs a repeated round, never a secret.
//
// Both sides compute this and must agree, so shares are taken in millionths and all else is done in integers, rounded
// towards safety: the same on every machine.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace aisle::secagg {

enum class AdversaryRule {
  kSemiHonest,  // HQ follows the protocol and listens.
  kMalicious,   // HQ lies about who survived.
};

struct SumAssumptions {
  double corrupt_share = 0.05;  // Of the stores, working together with HQ. In [0, 1).
  double dropout_share = 0.10;  // Of the stores, lost between sharing keys and unmasking. In [0, 1).
  AdversaryRule rule = AdversaryRule::kMalicious;
};

struct SumParameters {
  uint32_t degree = 0;     // Neighbours of each store; even, or cohort_size - 1.
  uint32_t threshold = 0;  // Shares that rebuild a secret; in [2, degree].

  bool operator==(const SumParameters&) const = default;
};

inline constexpr uint32_t kCompleteGraphMax = 32;
inline constexpr uint32_t kCohortSizeMax = 100'000;

// InvalidArgument for shares that aren't in [0, 1) or a cohort of more than kCohortSizeMax.
// FailedPrecondition if no graph keeps the promise: too few stores (at least 3 for any), or too many assumed to collude
// or drop out.
StatusOr<SumParameters> FindParameters(uint32_t cohort_size, const SumAssumptions& assumptions);

}  // namespace aisle::secagg
