// What each customer says of the model besides its vector: the metric slots, in MetricSlotsOf's order.
#pragma once

#include <atomic>
#include <vector>

#include "aggregation/update_shape.h"
#include "base/status.h"
#include "plans/plan.h"
#include "plans/slots.h"
#include "store-agent/worker/customers/customer_watch.h"
#include "store-agent/worker/customers/units.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

class UnitSlots {
 public:
  // All must outlive this.
  UnitSlots(Program& program, const Examples& examples, const Units& units, const Plan& plan, const UpdateShape& shape,
            const std::atomic<bool>* stop, const CustomerWatch* watch = nullptr);

  // Of unit `unit`, whose vector had `norm` before clipping. The plan's metrics are means over that customer's own
  // examples at the program's present weights; where the program fails on them, or there are none, they count as not
  // measured. Leaves the program in training mode.
  StatusOr<std::vector<double>> Of(size_t unit, double norm) const;

 private:
  // The plan's metrics of one customer; empty if they can't be measured.
  std::vector<double> Measure(size_t unit) const;

  Program& program_;
  const Examples& examples_;
  const Units& units_;
  const Plan& plan_;
  const UpdateShape& shape_;
  const std::atomic<bool>* stop_;
  const CustomerWatch* watch_;
  std::vector<MetricNeed> slots_;
};

}  // namespace aisle
