// What follows for everybody from a roster: how many neighbours each store has, how many shares rebuild a secret, and
// who is whose neighbour. Both sides work it out for themselves.
#pragma once

#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/graph.h"
#include "privacy/secagg/parameters.h"
#include "privacy/secagg/statements.h"

namespace aisle::secagg {

struct Layout {
  SumParameters parameters;
  NeighbourGraph graph;
};

// Of a cohort of `size` stores, always by the malicious rule. FailedPrecondition for a cohort above kCohortSizeMax, or
// if no graph of at most kNeighboursMax neighbours keeps the promise under the terms' assumptions; InvalidArgument for
// assumptions out of range.
StatusOr<SumParameters> ParametersFor(const CohortTerms& terms, uint32_t size);

// `cohort` is of these terms. Errors as above.
StatusOr<Layout> LayOut(const CohortTerms& terms, const CohortName& cohort);

// Survivors without whom nothing is unmasked in a cohort of `size` stores. Never below the terms' cohort_min. The
// stores' ledgers count on the noise of the honest stores of the smallest cohort (PrivacyContract::honest_stores_min).
// Headquarters may have a say in who survives, so all colluders of a larger cohort may be among few survivors: then
// there must be as many more of them.
uint32_t SurvivorsMin(const CohortTerms& terms, uint32_t size);

}  // namespace aisle::secagg
