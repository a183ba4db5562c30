// The examples of the customers that were drawn, each prepared from that customer's rows alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/random.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/customers/customer_rows.h"
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
};

class CustomerExamples {
 public:
  // All must outlive this. `random` gives one seed, from which every customer's own is derived.
  CustomerExamples(Program& program, const Plan& plan, const CustomerRows& rows, std::string form,
                   RandomSource& random);

  size_t customers() const { return rows_.size(); }

  // Customers on whose rows prepare() fails, makes nothing, makes another form or writes into the program are left out
  // of the result: they add nothing to any sum. Examples with a negative `unit` are nobody's. Of each customer at most
  // examples_per_customer_max examples to train on, and as many to measure on, the first by index. Prepared examples
  // are kept for the next call. Cancelled when `stop` became true.
  StatusOr<DrawnExamples> Of(std::span<const size_t> drawn, const std::atomic<bool>* stop);

 private:
  struct Prepared {
    CustomerRows::Slice slice;  // The examples may borrow its bytes.
    std::optional<Examples> examples;
    uint64_t seed = 0;
  };
  const Prepared& Prepare(size_t customer, Program::SavedState& saved);

  Program& program_;
  const Plan& plan_;
  const CustomerRows& rows_;
  const std::string form_;
  const uint64_t seed_;
  std::map<size_t, Prepared> prepared_;
};

}  // namespace aisle
