// Which way a plan's customers take their gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "plans/plan.h"
#include "store-agent/worker/customers/outer_products.h"
#include "store-agent/worker/customers/unit_gradients.h"
#include "store-agent/worker/program.h"

namespace aisle {

enum class UnitWay : uint8_t { kLoop, kVmap, kOuterProducts };
std::string_view ToString(UnitWay way);  // "loop", "vmap", "outer products"

struct ChosenGradients {
  UnitWay way = UnitWay::kLoop;
  std::string reason;  // Why not a faster one, for a log line; empty for kOuterProducts.
  std::unique_ptr<UnitGradients> gradients;
};

// Outer products where most of what trains is only applied to inputs; else vmap where the program runs in lanes; else
// the loop. Tried on made-up rows, the same for everybody, at weights near the program's own: a way is taken only if
// there it agrees with the loop and gives each example the same bits in every seat (lanes.h). A store's rows have no
// say in it, so the choice tells nothing about them.
//
// Borrows `program`, and leaves its weights as they were. Takes a few steps' time: call it once for a plan that stays
// loaded.
ChosenGradients ChooseUnitGradients(Program& program, const Plan& plan);

// `way` itself, or why this program can't go it. `on_totals` is for tests.
StatusOr<std::unique_ptr<UnitGradients>> TryUnitGradients(Program& program, const Plan& plan, UnitWay way,
                                                          OnFineTotals on_totals = nullptr);

}  // namespace aisle
