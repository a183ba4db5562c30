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

// `cohort` is of these terms. Always by the malicious rule. FailedPrecondition for a cohort above kCohortSizeMax, or if
// no graph of at most kNeighboursMax neighbours keeps the promise under the terms' assumptions; InvalidArgument for
// assumptions out of range.
StatusOr<Layout> LayOut(const CohortTerms& terms, const CohortName& cohort);

}  // namespace aisle::secagg
