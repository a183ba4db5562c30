// Trying a plan out on made-up rows: what `aisle plan check` and `aisle job submit` ask before any store is bothered.
#pragma once

#include <cstdint>

#include "aisle/v1/worker.pb.h"
#include "base/random.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

inline constexpr uint64_t kDryRunRows = 64;  // Per table, unless plan.toml says otherwise.
inline constexpr uint64_t kDryRunRowsMax = 100'000;

// `rows` rows of every table of the plan, unless it says otherwise, drawn within the ranges it declares.
TableRows MakeTables(const Plan& plan, uint64_t rows, RandomSource& random);

// Calls every method once on rows drawn within the ranges that plan.toml declares, and trains a few steps. Checks
// shapes, types, finite values, that loss is per example (an example's loss may not depend on who else is in its
// batch), that predict answers per example, that every [metrics] name comes back, and that the update's numbers fit
// their grid.
StatusOr<v1::InspectResult> DryRun(Program& program, const Plan& plan, uint64_t rows, RandomSource& random);

}  // namespace aisle
