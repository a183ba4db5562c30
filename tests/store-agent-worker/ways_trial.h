// Small plans of many kinds, and stores of made-up customers, for trying the ways to take customers' gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plans/plan.h"
#include "store-agent/worker/customers/choose.h"
#include "store-agent/worker/customers/units.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

struct WayPlan {
  std::string name;
  int64_t width = 12;      // Bytes in `x`.
  std::string parameters;  // "name = shape" a line.
  std::string loss;  // The body of loss(): batch has x [n, width] in about [0, 1], ids (the same as integers), label.
  int64_t customers = 20;  // Planned for a store.
};

// Linear, mlp and so on; see the .cc.
const std::vector<WayPlan>& WayPlans();
const WayPlan& WayPlanNamed(std::string_view name);

Plan PlanOf(const WayPlan& way_plan);
// With weights drawn around zero.
std::unique_ptr<Program> ProgramOf(const WayPlan& way_plan, const Plan& plan);

// What a row holds: x is drawn from `seed`, and multiplied by `scale`.
struct WayRow {
  uint8_t seed = 0;
  double scale = 1;
  int64_t label = 0;
};

// Customers, each with its rows.
struct WayStore {
  std::vector<std::vector<WayRow>> customers;
  Examples Prepare(Program& program, const Plan& plan) const;
  Units Group() const;

 private:
  mutable TableRows tables_;  // The examples borrow it.
};
// One customer for each of `sizes`, with that many rows.
WayStore MakeStore(const std::vector<size_t>& sizes);

}  // namespace aisle
