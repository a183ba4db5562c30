// The examples of the customers that were drawn, each prepared from that customer's rows alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/customers/customer_rows.h"
#include "store-agent/worker/customers/customer_watch.h"
#include "store-agent/worker/customers/units.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

// What the plan's prepare() makes of made-up rows: the form that every customer's examples must have, known before
// any real row is read. PlanError if it fails on them.
StatusOr<std::string> ExpectedForm(Program& program, const Plan& plan);

// Examples of several customers, one unit each, in the order they were asked for.
struct DrawnExamples {
  std::optional<Examples> examples;  // None if nobody has any.
  Units units;
  size_t taken = 0;  // Of the customers asked for; at least one, if there was one.
};

class CustomerExamples {
 public:
  // All must outlive this. `random` gives one seed, from which every customer's own is derived. `program` holds the
  // broadcast weights: everybody's examples are made with these, whenever they are asked for.
  CustomerExamples(Program& program, const Plan& plan, const CustomerRows& rows, std::string form, RandomSource& random,
                   const CustomerWatch& watch);

  size_t customers() const { return rows_.size(); }

  // The first of `drawn`, as many as fit in memory together. Customers on whose rows prepare() fails, needs more than
  // one customer's memory, makes nothing, makes another form or writes into the program are left out of the result:
  // they add nothing to any sum. Examples with a negative `unit` are nobody's. Of each customer at most
  // examples_per_customer_max examples to train on, and as many to measure on, the first by index. Cancelled when
  // `stop` became true.
  StatusOr<DrawnExamples> Of(std::span<const size_t> drawn, const std::atomic<bool>* stop);

 private:
  struct Prepared {
    std::optional<Examples> examples;
    uint64_t seed = 0;
  };
  using Shared = std::shared_ptr<const Prepared>;
  Shared Find(size_t customer, Program::SavedState& saved);
  Prepared Prepare(size_t customer, Program::SavedState& saved);

  Program& program_;
  const Plan& plan_;
  const CustomerRows& rows_;
  const std::string form_;
  const uint64_t seed_;
  const CustomerWatch& watch_;
  const std::vector<float> broadcast_;  // Weights.
  // Examples kept for the steps to come, as long as there is room: what isn't kept is made again, the same.
  std::map<size_t, Shared> kept_;
  size_t kept_bytes_ = 0;
};

}  // namespace aisle
