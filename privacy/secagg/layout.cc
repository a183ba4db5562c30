#include "privacy/secagg/layout.h"

#include <algorithm>
#include <utility>

namespace aisle::secagg {
namespace {

uint32_t ColludersAmong(const CohortTerms& terms, uint32_t stores) {
  return static_cast<uint32_t>((uint64_t{stores} * terms.corrupt_permille + 999) / 1000);
}

}  // namespace

uint32_t SurvivorsMin(const CohortTerms& terms, uint32_t size) {
  const uint32_t colluders = std::min(ColludersAmong(terms, terms.cohort_min), terms.cohort_min - 1);
  return std::max(terms.cohort_min, terms.cohort_min - colluders + ColludersAmong(terms, size));
}

StatusOr<Layout> LayOut(const CohortTerms& terms, const CohortName& cohort) {
  if (cohort.size > aisle::kCohortSizeMax) {
    return FailedPrecondition("a cohort of {} stores is over the limit of {}", cohort.size, aisle::kCohortSizeMax);
  }
  const SumAssumptions assumptions{.corrupt_share = terms.corrupt_permille / 1000.0,
                                   .dropout_share = terms.dropout_permille / 1000.0,
                                   .rule = AdversaryRule::kMalicious};
  AISLE_ASSIGN_OR_RETURN(const SumParameters parameters, FindParameters(cohort.size, assumptions));
  if (parameters.degree > kNeighboursMax) {
    return FailedPrecondition(
        "a cohort of {} stores, {} in 1000 of them colluding and {} dropping out, takes {} neighbours for each; the "
        "limit is {}",
        cohort.size, terms.corrupt_permille, terms.dropout_permille, parameters.degree, kNeighboursMax);
  }
  AISLE_ASSIGN_OR_RETURN(NeighbourGraph graph, NeighbourGraph::Make(cohort.size, parameters.degree, GraphSeed(cohort)));
  return Layout{.parameters = parameters, .graph = std::move(graph)};
}

}  // namespace aisle::secagg
