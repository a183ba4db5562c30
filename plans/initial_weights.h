// The first weights of a plan whose [[parameters]] say how to draw them.
#pragma once

#include "aggregation/weights.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle {

// The layout that [[parameters]] declare. FailedPrecondition for a plan of an archive, which brings its own.
StatusOr<Layout> DeclaredLayout(const Plan& plan);

// Drawn from a stream named by the plan's name, its seed and the parameter, so each plan has one beginning, and adding
// a parameter changes no other. Errors as DeclaredLayout.
StatusOr<Weights> MakeInitialWeights(const Plan& plan);

}  // namespace aisle
