#include "privacy/secagg/layout.h"

#include <algorithm>
#include <utility>

namespace aisle::secagg {
namespace {

// One at least, as FindParameters has it: headquarters itself may have enrolled it.
uint32_t ColludersAmong(const CohortTerms& terms, uint32_t stores) {
  return std::max(1U, static_cast<uint32_t>((uint64_t{stores} * terms.corrupt_permille + 999) / 1000));
}

}  // namespace

uint32_t SurvivorsMin(const CohortTerms& terms, uint32_t size) {
  const uint32_t colluders = std::min(ColludersAmong(terms, terms.cohort_min), terms.cohort_min - 1);
  return std::max(terms.cohort_min, terms.cohort_min - colluders + ColludersAmong(terms, size));
}

StatusOr<SumParameters> ParametersFor(const CohortTerms& terms, uint32_t size) {
  if (size > aisle::kCohortSizeMax) {
    return FailedPrecondition("a cohort of {} stores is over the limit of {}", size, aisle::kCohortSizeMax);
  }
  const SumAssumptions assumptions{.corrupt_share = terms.corrupt_permille / 1000.0,
                                   .dropout_share = terms.dropout_permille / 1000.0,
                                   .rule = AdversaryRule::kMalicious};
  AISLE_ASSIGN_OR_RETURN(const SumParameters parameters, FindParameters(size, assumptions));
  if (parameters.degree > kNeighboursMax) {
    return FailedPrecondition(
        "a cohort of {} stores, {} in 1000 of them colluding and {} dropping out, takes {} neighbours for each; the "
        "limit is {}",
        size, terms.corrupt_permille, terms.dropout_permille, parameters.degree, kNeighboursMax);
  }
  return parameters;
}

StatusOr<Layout> LayOut(const CohortTerms& terms, const CohortName& cohort) {
  AISLE_ASSIGN_OR_RETURN(const SumParameters parameters, ParametersFor(terms, cohort.size));
  AISLE_ASSIGN_OR_RETURN(NeighbourGraph graph, NeighbourGraph::Make(cohort.size, parameters.degree, GraphSeed(cohort)));
  return Layout{.parameters = parameters, .graph = std::move(graph)};
}

}  // namespace aisle::secagg
